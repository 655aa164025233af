/** A TCP proxy that can be told to break, to fall silent, to be slow, and to remember: the network between two real links. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  /** What the client sent so far. */
  readonly sent: Buffer[];
}

export class TcpProxy {
  /** "host:port" to forward to; read at each connection. */
  target: () => string;
  /** Nothing passes, nothing is closed: a cable that was pulled. */
  isSilent = false;
  /** So many bytes a second pass at most, each way of each connection; null: as many as there are. */
  bytesPerS: number | null = null;
  /** Bytes that have passed, both ways, of all connections. */
  passedBytes = 0;
  readonly pairs = new Set<Pair>();
  /** Of connections that have ended too. */
  readonly recordings: Buffer[][] = [];
  readonly #server: Server;

  constructor(target: () => string) {
    this.target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** "host:port" at which it is found. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection, as a router that restarts does. */
  breakAll(): void {
    for (const { client, target } of this.pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.breakAll();
    await closed;
  }

  #accept(client: Socket): void {
    const [host, port] = this.target().split(':');
    const target = connect({ host: host!, port: Number(port) });
    const pair: Pair = { client, target, sent: [] };
    this.recordings.push(pair.sent);
    this.pairs.add(pair);
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (chunk) => {
        if (from === client) pair.sent.push(chunk);
        if (this.isSilent || to.destroyed) return;
        this.passedBytes += chunk.length;
        const hasRoom = to.write(chunk);
        if (hasRoom && this.bytesPerS === null) return;
        from.pause();
        const waitMs = this.bytesPerS === null ? 0 : (chunk.length / this.bytesPerS) * 1_000;
        const resume = () => setTimeout(() => from.resume(), waitMs).unref();
        if (hasRoom) resume();
        else to.once('drain', resume);
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.pairs.delete(pair);
        if (!this.isSilent) to.destroy();
      });
    };
    forward(client, target);
    forward(target, client);
  }
}
