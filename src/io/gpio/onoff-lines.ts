/**
 * Lines of buttons through onoff: active while they are at ground.
 *
 * Sysfs knows no pull-ups: those of the firmware hold the lines (`gpio=5,6,16=ip,pu` in config.txt). Nor does it keep edges or stamp them: one is
 * told when the event loop comes to it, and what has been meanwhile is lost but for the level that it came to.
 */
import { TuttiError } from '../../core/errors.js';
import type { Button } from '../../ports/controls.js';
import type { Time } from '../../ports/time.js';
import type { ButtonLines, LineHandlers } from './line-buttons.js';
import type { Onoff, OnoffLine } from './onoff.js';

/** Where the buttons are. */
export interface OnoffLinesInit {
  /** Sysfs's number of the chip's first line. */
  readonly base: number;
  /** The chip's line of each button that there is. */
  readonly lines: ReadonlyMap<Button, number>;
}

/** {@link ButtonLines} of sysfs. */
export class OnoffLines implements ButtonLines {
  readonly buttons: readonly Button[];
  readonly #time: Time;
  readonly #onoff: Onoff;
  readonly #init: OnoffLinesInit;
  readonly #lines = new Map<Button, OnoffLine>();

  constructor(components: { readonly time: Time; readonly onoff: Onoff }, init: OnoffLinesInit) {
    this.#time = components.time;
    this.#onoff = components.onoff;
    this.#init = init;
    this.buttons = [...init.lines.keys()];
  }

  take(button: Button): void {
    const line = this.#init.lines.get(button)!;
    try {
      this.#lines.set(button, new this.#onoff.Gpio(this.#init.base + line, 'in', 'both', { activeLow: true }));
    } catch (error) {
      throw onoffRefused(line, error);
    }
  }

  isDown(button: Button): boolean {
    const line = this.#lines.get(button);
    if (line === undefined) throw new TuttiError('NOT_FOUND', `the line of ${button} was let go`);
    try {
      return line.readSync() === 1;
    } catch (error) {
      throw new TuttiError('NOT_FOUND', `the line of ${button} cannot be read any more`, {}, error);
    }
  }

  listen({ edge, failed }: LineHandlers): void {
    for (const [button, line] of this.#lines) {
      line.watch((error, value) => {
        if (error) failed(new TuttiError('NOT_FOUND', `the line of ${button} cannot be watched any more`, {}, error));
        else edge(button, value === 1, this.#time.now());
      });
    }
  }

  catchUp(): void {}

  release(): Promise<void> {
    for (const line of this.#lines.values()) line.unexport();
    this.#lines.clear();
    return Promise.resolve();
  }
}

/** What became of a line that onoff could not have. */
export function onoffRefused(line: number, error: unknown): TuttiError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const why =
    code === 'EBUSY'
      ? 'is in use'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? `may not be had by this user (${code})`
        : code === 'EINVAL'
          ? 'is none of this chip'
          : `cannot be had: ${error instanceof Error ? error.message : String(error)}`;
  return new TuttiError('NOT_FOUND', `GPIO line ${line} ${why}`, {}, error);
}
