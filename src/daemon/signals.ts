/** How the process is told to end, and how it says that it lives. */
import type { ServiceNotify } from '../ports/service-notify.js';
import type { Time, Timer } from '../ports/time.js';

/** The first SIGTERM or SIGINT; the second ends the process at once. */
export function endingSignal(): { readonly signal: Promise<NodeJS.Signals>; forget(): void } {
  let resolve: (signal: NodeJS.Signals) => void = () => {};
  const signal = new Promise<NodeJS.Signals>((given) => {
    resolve = given;
  });
  let asked = false;
  const handler = (name: NodeJS.Signals, number: number) => {
    if (asked) process.exit(128 + number);
    asked = true;
    resolve(name);
  };
  process.on('SIGTERM', handler).on('SIGINT', handler);
  return { signal, forget: () => process.off('SIGTERM', handler).off('SIGINT', handler) };
}

/** Tells the service manager that the main thread is alive, twice as often as it asks for (sd_watchdog_enabled(3)); null where it does not ask. */
export function startWatchdog(time: Time, notify: ServiceNotify): Timer | null {
  const periodUs = Number(process.env.WATCHDOG_USEC);
  const forUs = process.env.WATCHDOG_PID === undefined || process.env.WATCHDOG_PID === String(process.pid);
  return forUs && periodUs > 0 ? time.every('systemd.watchdog', periodUs / 2_000, () => notify.alive()) : null;
}
