/**
 * What is said to the reader beside what is shown: one notice at a time, for the eyes, and two live regions, for the ears. Each text is said
 * once. A status is what happened; an alert is what did not.
 */
import { type Signal, signal } from '@preact/signals';
import { Alarm } from '../world/timers.js';

/** What can be done about a notice. */
export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

/** A line that stays for a few seconds. */
export interface Notice {
  readonly text: string;
  readonly isAlert: boolean;
  readonly action: NoticeAction | null;
}

/** Long enough to read two sentences, and to reach a button. Milliseconds. */
const NOTICE_MS = 8_000;
/** Between two alerts of the same words. Milliseconds. */
const SILENT_MS = 100;

/** What is said at the moment. */
export class Notices {
  readonly shown: Signal<Notice | null> = signal(null);
  /** Texts of the two live regions. */
  readonly status: Signal<string> = signal('');
  readonly alert: Signal<string> = signal('');
  readonly #end = new Alarm();
  readonly #again = new Alarm();

  /** For the ears alone: the eyes see it anyway. */
  say(text: string): void {
    this.status.value = text;
  }

  /** Something happened. */
  tell(text: string, action: NoticeAction | null = null): void {
    this.status.value = text;
    this.#show({ text, isAlert: false, action });
  }

  /** Something that was wanted did not happen. */
  warn(text: string, action: NoticeAction | null = null): void {
    // The same words again are news again: to whoever listens, once the region was seen to be empty.
    if (this.alert.value === text) {
      this.alert.value = '';
      this.#again.set(SILENT_MS, () => {
        this.alert.value = text;
      });
    } else {
      this.#again.cancel();
      this.alert.value = text;
    }
    this.#show({ text, isAlert: true, action });
  }

  /** What a notice says is not so any more. */
  withdraw(text: string): void {
    if (this.shown.value?.text === text) this.dismiss();
  }

  dismiss(): void {
    this.#end.cancel();
    this.shown.value = null;
  }

  #show(notice: Notice): void {
    this.shown.value = notice;
    this.#end.set(NOTICE_MS, () => this.dismiss());
  }
}
