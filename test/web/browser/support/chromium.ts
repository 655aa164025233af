/** Debian's Chromium, driven by playwright-core. Nothing is downloaded: where there is no Chromium, the tests of the page are skipped, and say so. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import type { Ends } from '../../../support/daemon.js';

const PROGRAM = '/usr/bin/chromium';

/** False where the page can be tried in a browser, else why it cannot. */
export const missingBrowser: string | false =
  !existsSync(PROGRAM) && 'chromium is not installed (apt-get install chromium)';

/**
 * Names of nodes lead to this machine: `localhost` would be a "secure context", in which a browser grants a page much that it refuses to the page
 * of a node in somebody's house. Nothing in the browser itself may use the network.
 */
const FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP *.local 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** A browser that ends with the test. `env`: further variables for it, such as the fonts that it may use. */
export async function startBrowser(t: Ends, env: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: [...FLAGS],
    env: { ...definedOf(process.env), ...env },
  });
  t.teardown(() => browser.close());
  return browser;
}

const definedOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
