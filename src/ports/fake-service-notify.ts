/** FakeServiceNotify: keeps what the service manager was told, in the form of sd_notify(3). */
import { SERVICE_MESSAGES, type ServiceNotify, statusMessage } from './service-notify.js';

/** A service manager that listens. */
export class FakeServiceNotify implements ServiceNotify {
  /** Each message, such as `READY=1`, in order. */
  readonly messages: string[] = [];

  ready(): void {
    this.messages.push(SERVICE_MESSAGES.ready);
  }

  status(text: string): void {
    this.messages.push(statusMessage(text));
  }

  alive(): void {
    this.messages.push(SERVICE_MESSAGES.alive);
  }

  stopping(): void {
    this.messages.push(SERVICE_MESSAGES.stopping);
  }
}
