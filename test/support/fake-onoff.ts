/** The npm package onoff without a kernel: lines whose contacts a test closes, and a folder for the values of outputs. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Onoff, OnoffLine } from '../../src/io/gpio/onoff.js';

type Watcher = (error: Error | null | undefined, value: number) => void;

export class FakeOnoff implements Onoff {
  /** The root of sysfs. */
  readonly sys: string;
  /** Lines that nobody has given back, by sysfs's number. */
  readonly exported = new Set<number>();
  /** What exporting a line fails with. */
  readonly refusals = new Map<number, NodeJS.ErrnoException>();
  readonly Gpio: Onoff['Gpio'];
  readonly #down = new Set<number>();
  readonly #watchers = new Map<number, Watcher>();

  constructor(sys: string) {
    this.sys = sys;
    const make = (number: number, isOutput: boolean) => this.#export(number, isOutput);
    this.Gpio = class {
      constructor(number: number, direction: 'in' | 'low') {
        // biome-ignore lint/correctness/noConstructorReturn: the class stands for a package's, whose lines are made here
        return make(number, direction === 'low') as never;
      }
    } as unknown as Onoff['Gpio'];
  }

  /** The contact at a line closes or opens; as onoff does, it tells the level that is there when it comes to it. */
  ground(number: number, isDown: boolean): void {
    if (isDown) this.#down.add(number);
    else this.#down.delete(number);
    this.#watchers.get(number)?.(null, isDown ? 1 : 0);
  }

  /** Watching a line ends with an error. */
  fail(number: number): void {
    this.#watchers.get(number)?.(new Error('EIO'), 0);
  }

  isHigh(number: number): boolean {
    return this.exported.has(number)
      ? readFileSync(this.#value(number), 'utf8').startsWith('1')
      : this.#kept.has(number);
  }

  /** Lines that were high when they were given back. */
  readonly #kept = new Set<number>();

  #value(number: number): string {
    return join(this.sys, 'class/gpio', `gpio${number}`, 'value');
  }

  #export(number: number, isOutput: boolean): OnoffLine {
    const refusal = this.refusals.get(number);
    if (refusal !== undefined) throw refusal;
    this.exported.add(number);
    if (isOutput) {
      mkdirSync(join(this.#value(number), '..'), { recursive: true });
      writeFileSync(this.#value(number), '0');
    }
    return {
      readSync: () => (this.#down.has(number) ? 1 : 0),
      watch: (callback) => void this.#watchers.set(number, callback),
      unexport: () => {
        if (isOutput && this.isHigh(number)) this.#kept.add(number);
        this.#watchers.delete(number);
        this.exported.delete(number);
        rmSync(join(this.#value(number), '..'), { recursive: true, force: true });
      },
    };
  }
}
