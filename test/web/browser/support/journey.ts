/**
 * A journey: what a person does on the page in a real browser, and what must come of it. Whatever it is about, it fails where the page writes
 * anything to the console, throws, breaks its own policy (which the console tells), or asks anybody for anything but the nodes of the house.
 */
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { Test } from 'tap';

/** What people hold in their hands. CSS pixels. */
export const DEVICES = {
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  desk: { viewport: { width: 1_280, height: 800 } },
} as const satisfies Readonly<Record<string, BrowserContextOptions>>;
/** One of them. */
export type Device = keyof typeof DEVICES;
/** All of them. */
export const DEVICE_NAMES = Object.keys(DEVICES) as readonly Device[];

/** Somebody who looks at a page. */
export interface Visit {
  readonly page: Page;
  /** With a finger or a mouse, as the device has it. */
  press(target: Locator): Promise<void>;
}

/** How a page is opened. */
export interface OpenInit {
  readonly device?: Device;
  /** A further tab in the same window, with the device, traits and `before` of this one. */
  readonly beside?: Visit;
  /** Further traits of the browser: colours, motion, zoom. */
  readonly traits?: BrowserContextOptions;
  /** Its time is the test's, by Playwright's `page.clock`; it goes on by itself as well. */
  readonly hasFakeClock?: boolean;
  /** Code that runs before any of the page's own. */
  readonly before?: string;
  /** Done before the page is asked for anything. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** Opens `address` in a browser window of its own: nothing is kept from one to the next. */
export type Open = (address: string, init?: OpenInit) => Promise<Visit>;

/** What a journey is told among. */
export interface JourneyInit {
  readonly browser: Browser;
  /** Origins that a page may ask. */
  readonly origins: readonly string[];
  /** What the console may say all the same: a browser writes there whenever a node refuses something or does not answer. */
  readonly expected?: readonly RegExp[];
}

/** What Chromium says of an answer that is not a good one. */
export const refusedWith = (status: number): RegExp =>
  new RegExp(`Failed to load resource: the server responded with a status of ${status} `);
/** What Chromium says where no answer came. */
export const NO_ANSWER = /Failed to load resource: net::ERR_/;

/** Runs a journey, closes what it opened, and lists what nobody may see. */
export async function journey(
  t: Test,
  { browser, origins, expected = [] }: JourneyInit,
  travel: (open: Open) => Promise<void>,
): Promise<void> {
  const complaints: string[] = [];
  const complain = (text: string) => {
    if (!expected.some((pattern) => pattern.test(text))) complaints.push(text);
  };
  const openWindow = async ({
    device = 'desk',
    traits = {},
    before,
    hasFakeClock = false,
  }: OpenInit): Promise<BrowserContext> => {
    const context = await browser.newContext({ ...DEVICES[device], ...traits });
    t.teardown(() => context.close());
    if (hasFakeClock) await context.clock.install();
    if (before !== undefined) await context.addInitScript(before);
    context.on('request', (request) => {
      const { origin, protocol, href } = new URL(request.url());
      if (!['data:', 'blob:'].includes(protocol) && !origins.includes(origin)) complain(`asks a stranger: ${href}`);
    });
    context.on('console', (message) =>
      complain(`console ${message.type()}: ${message.text()} ${message.location().url}`),
    );
    context.on('weberror', (error) => complain(`throws: ${error.error().stack ?? error.error().message}`));
    return context;
  };
  const open: Open = async (address, init = {}) => {
    const { device = 'desk', beside, prepare } = init;
    const page = await (beside?.page.context() ?? (await openWindow(init))).newPage();
    await prepare?.(page);
    await page.goto(address);
    return { page, press: (target) => ('hasTouch' in DEVICES[device] ? target.tap() : target.click()) };
  };
  await travel(open);
  t.same(complaints, [], 'nothing on the console, no mistake, no stranger');
}
