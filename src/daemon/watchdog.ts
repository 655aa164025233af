/**
 * Watchdog: tells the service manager that the daemon lives, for as long as all of it does.
 *
 * A process whose main thread turns can be of no use all the same: its player hangs in a driver of the sound card, or a card does not come
 * back from a sync. So each such part shows a *sign* that moves while it lives. Where one stands still for longer than it may, the service
 * manager is told nothing any more; it ends the process after its own time-out (WatchdogSec=) and starts another. A main thread
 * that hangs tells nothing by itself.
 *
 * A part that has nothing to do shows no sign, and nothing is wrong with it: an idle node never syncs.
 */
import type { LocalTime } from '../core/units.js';
import type { Log } from '../ports/log.js';
import type { ServiceNotify } from '../ports/service-notify.js';
import type { Time, Timer } from '../ports/time.js';

/** How often it is looked, at least: an idle machine is woken for it. Milliseconds. */
const LOOK_EVERY_MS_MAX = 5_000;
/** Looks within the service manager's time-out, at least: one of them may be late. */
const LOOKS_PER_TIMEOUT = 4;

/** A part of the daemon that may hang by itself. */
export interface Vital {
  /** What a person calls it, for the log. */
  readonly name: string;
  /** How long its sign may stand still. Milliseconds. */
  readonly patienceMs: number;
  /** Something that moves while it lives; null while it has nothing to do. */
  sign(): number | null;
}

/** What the watchdog looks at, and whom it tells. */
export interface WatchdogComponents {
  readonly time: Time;
  readonly log: Log;
  readonly notify: ServiceNotify;
  /** Asked at each look: parts come and go. */
  readonly vitals: () => readonly Vital[];
  /** The line for `systemctl status`. */
  readonly status: () => string;
}

/** How the service manager watches. */
export interface WatchdogInit {
  /** After so long without a word it ends the process, milliseconds; null where it does not watch. */
  readonly timeoutMs: number | null;
}

/** What was seen of a part. */
interface Seen {
  sign: number | null;
  since: LocalTime;
  isHung: boolean;
}

/** Between `start` and `stop` (idempotent) it looks every few seconds. */
export class Watchdog {
  readonly #components: WatchdogComponents;
  readonly #init: WatchdogInit;
  readonly #seen = new Map<string, Seen>();
  #timer: Timer | null = null;
  #told = '';

  constructor(components: WatchdogComponents, init: WatchdogInit) {
    this.#components = components;
    this.#init = init;
  }

  start(): void {
    const { timeoutMs } = this.#init;
    const everyMs = Math.min(LOOK_EVERY_MS_MAX, (timeoutMs ?? Number.POSITIVE_INFINITY) / LOOKS_PER_TIMEOUT);
    this.#timer = this.#components.time.every('service.watchdog', everyMs, () => this.#look());
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    const { notify, vitals, status } = this.#components;
    const hung = vitals().filter((vital) => this.#hangs(vital));
    const line = hung.length === 0 ? status() : `hangs: ${hung.map(({ name }) => name).join(', ')}`;
    if (line !== this.#told) notify.status(line);
    this.#told = line;
    if (this.#init.timeoutMs !== null && hung.length === 0) notify.alive();
  }

  #hangs({ name, patienceMs, sign }: Vital): boolean {
    const { time, log } = this.#components;
    const now = time.now();
    const current = sign();
    const seen = this.#seen.get(name);
    if (seen === undefined || current === null || current !== seen.sign) {
      if (seen?.isHung) log.warn('What did not move moves again.', { part: name });
      this.#seen.set(name, { sign: current, since: now, isHung: false });
      return false;
    }
    const stillMs = Number(now - seen.since) / 1e6;
    if (stillMs < patienceMs) return false;
    if (!seen.isHung) {
      log.error('A part of the node does not move any more: the service manager is to start it anew.', {
        part: name,
        stillMs: Math.round(stillMs),
      });
    }
    seen.isHung = true;
    return true;
  }
}

/** How the service manager watches this process, by the variables of sd_watchdog_enabled(3). */
export function watchdogTimeoutMs(env: NodeJS.ProcessEnv, pid: number): number | null {
  const isForUs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(pid);
  const timeoutUs = Number(env.WATCHDOG_USEC);
  return isForUs && timeoutUs > 0 ? timeoutUs / 1_000 : null;
}
