/** Ports of this machine that nobody listens on. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { TuttiError } from '../../core/errors.js';

/** Null where the port is taken. */
const listen = (port: number): Promise<Server | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });

/**
 * So many different ports of 127.0.0.1, the first of them `usual` where that is free. Somebody else may take one before it is used.
 * @throws TuttiError PORT_IN_USE
 */
export async function freePorts(count: number, usual: number): Promise<number[]> {
  const servers: Server[] = [];
  // All are held until the last is found, so that no two are the same.
  while (servers.length < count) {
    const server = (servers.length === 0 ? await listen(usual) : null) ?? (await listen(0));
    if (server === null) throw new TuttiError('PORT_IN_USE', 'no free port was found on 127.0.0.1');
    servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
