/**
 * Controls: buttons, status lamp and front panel of one daemon, whether it is a node yet or not.
 *
 * Each of them may be missing or fail without the others, or the node, being worse for it: what is wrong is logged, and shown as an alert
 * for as long as it lasts.
 */
import { TuttiError } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';
import type { Button, Buttons, Lamp, Panel } from '../ports/controls.js';
import type { Log } from '../ports/log.js';
import type { Time, Timer } from '../ports/time.js';
import type { House } from './house.js';
import type { MachineTrouble } from './machine-troubles.js';
import { PanelTalk } from './panel-talk.js';
import { Presses } from './presses.js';
import { StatusLamp } from './status-lamp.js';

/** A button that is down for longer is stuck: nobody holds one so long, and it means nothing to. Milliseconds. */
const STUCK_MS = 30_000;
/** How long a refused press is shown on the page: for whoever goes there to see what is wrong. Milliseconds. */
const REFUSED_SHOWN_MS = 10_000;
/** How often it is looked at what nobody tells of. Milliseconds. */
const WATCH_MS = 500;

/** What a daemon has of them. */
export interface ControlsComponents {
  readonly time: Time;
  readonly log: Log;
  readonly house: House;
  readonly buttons?: Buttons | undefined;
  readonly statusLamp?: Lamp | undefined;
  readonly panel?: Panel | undefined;
  /** Why GPIO lines that are wanted cannot be had at all, in a clause; null where nothing is wrong with that. */
  readonly gpioMissing?: string | null;
}

/** `start` once; `stop` is idempotent. */
export class Controls {
  readonly #components: ControlsComponents;
  readonly #presses: Presses;
  readonly #statusLamp: StatusLamp | null;
  readonly #panel: PanelTalk | null;
  /** What could not be started. */
  readonly #missing = new Set<MachineTrouble>();
  readonly #stuck = new Set<Button>();
  #cutOffSince: LocalTime | null = null;
  #refusedAt: LocalTime | null = null;
  #timer: Timer | null = null;
  #unsubscribe: () => void = () => {};

  constructor(components: ControlsComponents) {
    const { time, log, house, statusLamp, panel } = components;
    this.#components = components;
    this.#presses = new Presses({
      time,
      log,
      node: () => house.node,
      member: () => house.member(),
      cutOffSince: () => this.#cutOffSince,
      refused: (code) => {
        this.#refusedAt = time.now();
        this.#statusLamp?.refused();
        this.#panel?.refused(code);
      },
    });
    this.#statusLamp = statusLamp === undefined ? null : new StatusLamp({ time, lamp: statusLamp });
    const pressed: (wish: Parameters<Presses['press']>[0]) => void = (wish) => this.#presses.press(wish, 'panel');
    this.#panel = panel === undefined ? null : new PanelTalk({ time, panel, house, pressed });
  }

  /** Starts what there is, and what can be started of it. */
  async start(): Promise<void> {
    const { time, house, buttons, gpioMissing = null } = this.#components;
    if (gpioMissing !== null) this.#lacks('GPIO_UNAVAILABLE', 'Buttons and lamps', gpioMissing);
    this.#unsubscribe = house.subscribe(() => this.#look());
    this.#timer = time.every('controls.watch', WATCH_MS, () => this.#look());
    this.#look();
    await this.#try('GPIO_UNAVAILABLE', 'The status lamp', this.#statusLamp?.start());
    await this.#try('PANEL_UNAVAILABLE', 'The front panel', this.#panel?.start());
    await this.#try(
      'GPIO_UNAVAILABLE',
      'The buttons',
      buttons?.start((button) => this.#presses.press(button, 'button')),
    );
    const partly = buttons?.trouble() ?? null;
    if (partly !== null && !this.#missing.has('GPIO_UNAVAILABLE')) {
      this.#components.log.warn('Some of the buttons cannot be used; everything else can.', { why: partly });
    }
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#timer?.cancel();
    this.#timer = null;
    await this.#components.buttons?.stop();
    await this.#panel?.stop();
    await this.#statusLamp?.stop();
  }

  /** What is wrong now. */
  troubles(): readonly MachineTrouble[] {
    const { time, buttons, panel } = this.#components;
    const isRefused = this.#refusedAt !== null && Number(time.now() - this.#refusedAt) / 1e6 < REFUSED_SHOWN_MS;
    const isGpio =
      this.#missing.has('GPIO_UNAVAILABLE') ||
      (buttons?.trouble() ?? null) !== null ||
      (this.#statusLamp?.trouble() ?? null) !== null;
    const isPanel = this.#missing.has('PANEL_UNAVAILABLE') || (panel?.trouble() ?? null) !== null;
    return [
      ...(isGpio ? (['GPIO_UNAVAILABLE'] as const) : []),
      ...(this.#stuck.size > 0 ? (['BUTTON_STUCK'] as const) : []),
      ...(isRefused ? (['PRESS_REFUSED'] as const) : []),
      ...(isPanel ? (['PANEL_UNAVAILABLE'] as const) : []),
    ];
  }

  async #try(trouble: MachineTrouble, what: string, starting: Promise<void> | undefined): Promise<void> {
    try {
      await starting;
    } catch (error) {
      if (!(error instanceof TuttiError)) throw error;
      this.#lacks(trouble, what, error.detail);
    }
  }

  #lacks(trouble: MachineTrouble, what: string, why: string): void {
    this.#missing.add(trouble);
    this.#components.log.warn(`${what} cannot be used; everything else can.`, { why });
  }

  #look(): void {
    const { time, house } = this.#components;
    const isCutOff = house.node?.logStatus().quorum !== true;
    if (!isCutOff) this.#cutOffSince = null;
    else this.#cutOffSince ??= time.now();
    this.#statusLamp?.setCutOff(isCutOff);
    this.#lookForStuck();
  }

  #lookForStuck(): void {
    const { time, log, buttons } = this.#components;
    const held = buttons?.held() ?? new Map<Button, LocalTime>();
    const now = time.now();
    for (const button of this.#stuck) if (!held.has(button)) this.#stuck.delete(button);
    for (const [button, since] of held) {
      if (this.#stuck.has(button) || Number(now - since) / 1e6 < STUCK_MS) continue;
      this.#stuck.add(button);
      log.warn('A button is stuck: it counted once, and does nothing until it is let go.', { button });
    }
  }
}
