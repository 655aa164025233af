/** The service manager's end of sd_notify(3): a Unix datagram socket, which Node does not have, through libc. */
import { strict as assert } from 'node:assert';
import type { Libc } from '../../../src/io/libc/libc.js';

/** From sys/socket.h of Linux. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** Binds `name` (a path, or `@name` in the abstract namespace). `receive` gives the next message, if one is there. */
export function listen(libc: Libc, name: string): { receive(): string | undefined; close(): void } {
  const socket = libc.bind('int socket(int domain, int type, int protocol)');
  const bind = libc.bind('int bind(int fd, const void *address, unsigned int length)');
  const recv = libc.bind('long recv(int fd, void *buffer, size_t length, int flags)');
  const close = libc.bind('int close(int fd)');
  const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
  const path = Buffer.from(name.startsWith('@') ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), path]);
  assert.equal(bind(descriptor, address, address.length), 0, `errno ${libc.errno()}`);
  const buffer = Buffer.alloc(4096);
  return {
    receive: () => {
      const count = recv(descriptor, buffer, buffer.length, MSG_DONTWAIT);
      return count < 0 ? undefined : buffer.toString('utf8', 0, count);
    },
    close: () => void close(descriptor),
  };
}
