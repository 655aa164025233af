/**
 * Whether a node can listen for others, asked before it founds or joins a house. Found out afterwards, it would have become a member of a
 * house at which its owner was told that it failed.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { HostPort } from '../config/host-port.js';
import { TuttiError } from '../core/errors.js';
import { clockAddress } from './addresses.js';

/** Takes the port for TCP and UDP, and lets go of both. @throws TuttiError PORT_IN_USE */
export async function checkPeerPort(listen: HostPort): Promise<void> {
  const server = createServer();
  await taken('TCP', listen, async () => {
    await once(server.listen(listen), 'listening');
    server.close();
  });
  const { host, port } = await clockAddress(listen);
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  await taken('UDP', { host, port }, async () => {
    socket.bind(port, host);
    await once(socket, 'listening');
  }).finally(() => socket.close());
}

async function taken(protocol: string, { host, port }: HostPort, take: () => Promise<void>): Promise<void> {
  try {
    await take();
  } catch (error) {
    const why = (error as Error).message;
    const detail = `${protocol} ${host}:${port} cannot be listened on: ${why}; cluster.listen sets another`;
    throw new TuttiError('PORT_IN_USE', detail, {}, error as Error);
  }
}
