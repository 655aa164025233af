/**
 * SerialPanel: the front panel at a serial line, which may be pulled out at any time, and comes back at any time.
 *
 *     away -- open --> connected -- close, end, error --> away, tried again after 1 s, 2 s, ... 30 s
 *
 * Each connection has a line and a reader of its own, so that nothing of the last one is left in it. A panel that does not take what it is
 * sent must not fill the memory: what does not fit is dropped, and the whole display is sent anew when there is room.
 */
import { assert } from '../../core/assert.js';
import { TuttiError } from '../../core/errors.js';
import type { Panel } from '../../ports/controls.js';
import type { Log } from '../../ports/log.js';
import { PanelLineReader, panelLine } from '../../ports/panel-lines.js';
import type { Time, Timer } from '../../ports/time.js';
import { type FoundSerialport, loadSerialport, type SerialLine, type Serialport } from './serialport.js';

/** How soon the line is opened again: at first, and at most. Milliseconds. */
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 30_000;
/** A connection that lasted so long was one: the next try is soon again. Milliseconds. */
const LASTED_MS = 5_000;
/** What waits to be sent: some displays. Bytes. */
const WAITING_BYTES_MAX = 4_096;

/** What a panel is spoken to with. */
export interface SerialPanelComponents {
  readonly time: Time;
  readonly log: Log;
  readonly load?: () => FoundSerialport;
}

/** Where it is. */
export interface SerialPanelInit {
  /** Path of the port, best a name that stays: /dev/serial/by-id/... */
  readonly port: string;
  /** Bits a second. */
  readonly baud: number;
}

type Handlers = Parameters<Panel['start']>[0];

/** {@link Panel} at a serial port. */
export class SerialPanel implements Panel {
  readonly #components: SerialPanelComponents;
  readonly #init: SerialPanelInit;
  #serialport: Serialport | null = null;
  #handlers: Handlers | null = null;
  /** Being opened, or open. */
  #line: SerialLine | null = null;
  #isConnected = false;
  /** Enough waits to be sent. */
  #isFull = false;
  /** Something was dropped since the display was sent last. */
  #isBehind = false;
  #againMs = AGAIN_MS;
  #again: Timer | null = null;
  #lasted: Timer | null = null;
  #trouble: string | null = 'it has not been opened yet';
  /** Called when the line that is being opened or closed is so no more. */
  #settled: () => void = () => {};

  constructor(components: SerialPanelComponents, init: SerialPanelInit) {
    this.#components = components;
    this.#init = init;
  }

  start(handlers: Handlers): Promise<void> {
    assert(this.#handlers === null, 'a panel is started once until it is stopped');
    const found = (this.#components.load ?? loadSerialport)();
    if ('missing' in found) return Promise.reject(new TuttiError('NOT_FOUND', found.missing));
    this.#serialport = found;
    this.#handlers = handlers;
    this.#againMs = AGAIN_MS;
    this.#open();
    return Promise.resolve();
  }

  trouble(): string | null {
    return this.#trouble;
  }

  send(text: string): void {
    if (!this.#isConnected || this.#line === null) return;
    if (this.#isFull) this.#isBehind = true;
    else this.#isFull = !this.#line.write(Buffer.from(`${panelLine(text)}\n`, 'latin1'));
  }

  async stop(): Promise<void> {
    this.#handlers = null;
    this.#again?.cancel();
    this.#lasted?.cancel();
    const line = this.#line;
    if (line === null) return;
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
      if (line.isOpen) line.close();
    });
  }

  #open(): void {
    const { port, baud } = this.#init;
    let line: SerialLine;
    try {
      line = new this.#serialport!.SerialPort({
        path: port,
        baudRate: baud,
        autoOpen: false,
        highWaterMark: WAITING_BYTES_MAX,
      });
    } catch (error) {
      this.#isAway(textOf(error));
      return;
    }
    this.#line = line;
    const over = (why: string) => {
      if (this.#line === line) this.#isAway(why);
    };
    line.on('error', (error) => {
      if (line.isOpen) line.close();
      else over(textOf(error));
    });
    line.on('end', () => {
      if (line.isOpen) line.close();
    });
    line.on('close', () => over('it was pulled out'));
    line.open((error) => {
      if (error !== null) over(textOf(error));
      else if (this.#handlers === null) line.close();
      else this.#connected(line);
    });
  }

  #connected(line: SerialLine): void {
    const { time, log } = this.#components;
    const reader = new PanelLineReader((text) => {
      if (this.#line === line) this.#handlers?.line(text);
    });
    line.on('data', (bytes) => reader.push(bytes));
    line.on('drain', () => {
      if (this.#line !== line) return;
      this.#isFull = false;
      if (!this.#isBehind) return;
      this.#isBehind = false;
      this.#handlers?.connected();
    });
    this.#isConnected = true;
    this.#isFull = false;
    this.#isBehind = false;
    this.#trouble = null;
    this.#lasted = time.after('panel.lasted', LASTED_MS, () => {
      this.#againMs = AGAIN_MS;
    });
    log.info('The front panel is there.', { port: this.#init.port });
    this.#handlers?.connected();
  }

  /** There is no connection, or none any more. */
  #isAway(why: string): void {
    const { time, log } = this.#components;
    this.#line = null;
    this.#lasted?.cancel();
    this.#settled();
    if (this.#handlers === null) return;
    // Told once, and not at each try.
    if (this.#isConnected || this.#trouble !== why) {
      log.warn('The front panel is not there: it is looked for all the time.', { port: this.#init.port, why });
    }
    this.#isConnected = false;
    this.#trouble = why;
    this.#again = time.after('panel.again', this.#againMs, () => this.#open());
    this.#againMs = Math.min(AGAIN_MS_MAX, 2 * this.#againMs);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
