/** One who watches a node's event stream (GET /events) over a connection of its own. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One event, as it came. */
export interface Event {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: never;
}

/** Headers of the request, each with its line end; the loopback address that it comes from. */
export interface Watching {
  readonly headers?: string;
  readonly from?: string;
}

/** One who watches. To be closed by whoever made it: `socket.destroy()`. */
export class Watcher {
  readonly socket: Socket;
  /** The head of the answer and the first events, as they came. */
  text = '';
  /** All events so far. */
  readonly events: Event[] = [];
  #rest = '';

  constructor(port: number, { headers = '', from = '127.0.0.1' }: Watching = {}) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress: from });
    this.socket.on('error', () => {});
    this.socket.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    this.socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  }

  of(name: string): Event[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** Waits until there are `count` events of this name. */
  async has(name: string, count: number): Promise<Event[]> {
    while (this.of(name).length < count) await once(this.socket, 'data');
    return this.of(name);
  }

  /** The chunks of the transfer coding begin and end between whole events. */
  #receive(text: string): void {
    if (this.text.length < 10_000) this.text += text;
    const parts = `${this.#rest}${text}`.split('\n\n');
    this.#rest = parts.pop()!;
    for (const part of parts) {
      const match = /event: (\w+)\n(?:id: (\S+)\n)?data: (.*)$/.exec(part);
      if (match !== null) this.events.push({ event: match[1]!, id: match[2], data: JSON.parse(match[3]!) as never });
    }
  }
}
