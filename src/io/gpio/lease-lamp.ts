/**
 * The leader's lamp, whose lease another thread watches.
 *
 * The main thread takes the lamp, tells of each renewal, and lets the lamp go. The clock's thread lights it, and puts it out when the time
 * has come: it has little else to do, and is on time when the main thread is not. Both put it out in the end: a flag that they share sees to
 * it that a renewal which is still on its way lights nothing after the main thread has.
 */
import type { MessagePort } from 'node:worker_threads';
import { TuttiError } from '../../core/errors.js';
import type { LocalTime } from '../../core/units.js';
import type { LeaseLamp } from '../../ports/controls.js';
import type { Log } from '../../ports/log.js';
import type { Time, Timer } from '../../ports/time.js';
import { type LampSwitch, type OpenLamp, openLamp } from './lamp-switch.js';
import type { LampWire } from './lamp-wires.js';
import type { LineCalls } from './line-calls.js';

/** An end of the channel between the two. */
export type LampPort = Pick<MessagePort, 'postMessage' | 'on' | 'close'>;

type ToLamp =
  | { readonly type: 'take'; readonly lamp: LampSwitch; readonly over: Int32Array }
  | { readonly type: 'until'; readonly at: LocalTime }
  | { readonly type: 'leave' };
type FromLamp = { readonly type: 'left' } | { readonly type: 'failed'; readonly why: string };

/** What the main thread's end is made of. */
export interface ThreadLeaseLampComponents {
  readonly port: LampPort;
  readonly wire: LampWire;
  /** Undefined where the lamp is at no line of the character device. */
  readonly calls: Pick<LineCalls, 'setValue'> | undefined;
  readonly log: Log;
}

/** {@link LeaseLamp} with {@link serveLeaseLamp} at the other end of a channel. */
export class ThreadLeaseLamp implements LeaseLamp {
  readonly #components: ThreadLeaseLampComponents;
  readonly #over = new Int32Array(new SharedArrayBuffer(4));
  readonly #dark = () => this.#putOut();
  #lamp: OpenLamp | null = null;
  #left: () => void = () => {};
  #trouble: string | null = null;

  constructor(components: ThreadLeaseLampComponents) {
    this.#components = components;
  }

  async start(): Promise<void> {
    const { port, wire, calls, log } = this.#components;
    const lamp = await wire.take();
    log.info('The leader lamp is there.', { kind: lamp.kind, outByKernel: lamp.kind === 'transient' });
    this.#lamp = openLamp(lamp, calls);
    Atomics.store(this.#over, 0, 0);
    process.on('exit', this.#dark);
    port.on('message', (message) => this.#heard(message as FromLamp));
    port.on('close', () => this.#left());
    this.#tell({ type: 'take', lamp, over: this.#over });
  }

  litUntil(at: LocalTime): void {
    if (this.#lamp !== null) this.#tell({ type: 'until', at });
  }

  trouble(): string | null {
    return this.#trouble;
  }

  async stop(): Promise<void> {
    const { port, wire } = this.#components;
    if (this.#lamp !== null) {
      this.#putOut();
      const left = new Promise<void>((resolve) => {
        this.#left = resolve;
      });
      this.#tell({ type: 'leave' });
      await left;
      process.off('exit', this.#dark);
      this.#lamp.close();
      this.#lamp = null;
    }
    port.close();
    wire.release();
  }

  #putOut(): void {
    Atomics.store(this.#over, 0, 1);
    try {
      this.#lamp?.dark();
    } catch (error) {
      this.#failed(error instanceof TuttiError ? error.detail : String(error));
    }
  }

  #heard(message: FromLamp): void {
    if (message.type === 'left') this.#left();
    else this.#failed(message.why);
  }

  #failed(why: string): void {
    this.#trouble = why;
    this.#components.log.warn('The leader lamp has stopped working.', { why });
  }

  #tell(message: ToLamp): void {
    this.#components.port.postMessage(message);
  }
}

/** The clock thread's side. `calls`: undefined where the C library cannot be called, and so no lamp is at a line. */
export function serveLeaseLamp(components: {
  readonly port: LampPort;
  readonly time: Time;
  readonly calls: Pick<LineCalls, 'setValue'> | undefined;
}): void {
  const { port, time, calls } = components;
  let lamp: OpenLamp | null = null;
  let over: Int32Array = new Int32Array(1);
  let timer: Timer | null = null;
  const say = (message: FromLamp) => port.postMessage(message);
  const light = (at: LocalTime) => {
    timer?.cancel();
    const leftMs = Number(at - time.now()) / 1e6;
    if (leftMs <= 0 || Atomics.load(over, 0) === 1) {
      lamp?.dark();
      return;
    }
    lamp?.light(leftMs);
    // The main thread puts the lamp out after it has set this: whichever of the two comes last, it is dark.
    if (Atomics.load(over, 0) === 1) lamp?.dark();
    timer = time.after('lamp.lease', leftMs, () => attempt(() => lamp?.dark()));
  };
  /** A lamp that fails must not take the clock with it. */
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      lamp = null;
      say({ type: 'failed', why: error instanceof TuttiError ? error.detail : String(error) });
    }
  };
  port.on('message', (message) => {
    const order = message as ToLamp;
    switch (order.type) {
      case 'take':
        over = order.over;
        attempt(() => {
          lamp = openLamp(order.lamp, calls);
        });
        break;
      case 'until':
        attempt(() => light(order.at));
        break;
      case 'leave':
        timer?.cancel();
        attempt(() => {
          lamp?.dark();
          lamp?.close();
        });
        lamp = null;
        say({ type: 'left' });
        break;
    }
  });
}
