/** ServiceNotify: what the service manager is told (sd_notify(3)). Real: io/systemd. A node that runs by hand has nobody to tell. */
export interface ServiceNotify {
  /** Serving: requests are answered from now on. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Alive. To be said more often than the manager's time-out. */
  alive(): void;
  /** An orderly end has begun. */
  stopping(): void;
}
