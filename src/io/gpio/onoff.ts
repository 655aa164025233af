/**
 * The npm package onoff: GPIO lines through sysfs.
 *
 * It is an optional package, since it compiles an addon: it is looked for when it is wanted, and a node without it has the other driver.
 *
 * Further reading: https://github.com/fivdi/onoff; Documentation/admin-guide/gpio/sysfs.rst of the kernel.
 */
import { createRequire } from 'node:module';

/** A line that was exported. */
export interface OnoffLine {
  /** 1 where it is active. */
  readSync(): number;
  /** `callback` is called at each edge. */
  watch(callback: (error: Error | null | undefined, value: number) => void): void;
  /** Ends watching, and gives the line back to the kernel. */
  unexport(): void;
}

/** What of onoff is used. Numbers are sysfs's: that of the chip's first line, and the line's own. */
export interface Onoff {
  readonly Gpio: new (
    number: number,
    direction: 'in' | 'low',
    edge?: 'none' | 'both',
    options?: { readonly activeLow?: boolean },
  ) => OnoffLine;
}

/** The package, or why it cannot be had, in a clause. */
export type FoundOnoff = Onoff | { readonly missing: string };

/** Looks for it. */
export function loadOnoff(): FoundOnoff {
  try {
    return createRequire(import.meta.url)('onoff') as Onoff;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    return { missing: `the package onoff does not load (${why})` };
  }
}
