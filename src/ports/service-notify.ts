/**
 * ServiceNotify: what the service manager is told (sd_notify(3)). Real: io/systemd. Fake: fake-service-notify.ts.
 *
 * A node that runs by hand has nobody to tell: then every call does nothing. Telling never fails, and nothing is left open between calls.
 */
export interface ServiceNotify {
  /** Serving: requests are answered from now on. */
  ready(): void;
  /** One line for `systemctl status`; control characters become spaces. */
  status(text: string): void;
  /** Alive. To be said more often than the manager's time-out. */
  alive(): void;
  /** An orderly end has begun. */
  stopping(): void;
}

/** The assignments that sd_notify(3) defines for each call. */
export const SERVICE_MESSAGES = { ready: 'READY=1', alive: 'WATCHDOG=1', stopping: 'STOPPING=1' } as const;

/** The assignment that carries a status line. One message holds an assignment a line, so `text` must not break it. */
export const statusMessage = (text: string): string => `STATUS=${text.replace(/\p{Cc}+/gu, ' ')}`;
