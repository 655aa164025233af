/**
 * SystemdNotify: tells systemd how the service is, by the protocol of sd_notify(3).
 *
 * The protocol is one datagram of text to the Unix socket that the variable NOTIFY_SOCKET names. Node has no such sockets, so libc's are
 * called; where libc cannot be (no koffi, or a socket that is none of the file system's or abstract ones), the program systemd-notify
 * is started for each message, which needs `NotifyAccess=all` in the unit. Without the variable nobody is told.
 */
import { spawn } from 'node:child_process';
import type { Log } from '../../ports/log.js';
import { SERVICE_MESSAGES, type ServiceNotify, statusMessage } from '../../ports/service-notify.js';
import { type Libc, loadLibc } from '../libc/libc.js';

/** From sys/socket.h of Linux. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
/** Room for the path in struct sockaddr_un, bytes. */
const SUN_PATH_BYTES = 108;

/** Takes one message away. */
type Send = (message: string) => void;

/** Where the service manager listens. */
export interface SystemdNotifyInit {
  /** The value of NOTIFY_SOCKET; undefined or empty where the service manager did not set it. */
  readonly socket: string | undefined;
}

/** Speaks to systemd, or to nobody. Which way is decided once, here. */
export class SystemdNotify implements ServiceNotify {
  readonly #send: Send;

  constructor(
    components: { readonly log: Log; readonly libc?: Libc | undefined },
    init: SystemdNotifyInit = { socket: process.env.NOTIFY_SOCKET },
  ) {
    const { log } = components;
    const libc = 'libc' in components ? components.libc : loadLibc();
    const socket = init.socket ?? '';
    const address = socketAddress(socket);
    if (socket === '') this.#send = () => {};
    else if (libc === undefined || address === undefined) this.#send = programSender(socket, log);
    else this.#send = socketSender({ libc, log }, address);
  }

  ready(): void {
    this.#send(SERVICE_MESSAGES.ready);
  }

  status(text: string): void {
    this.#send(statusMessage(text));
  }

  alive(): void {
    this.#send(SERVICE_MESSAGES.alive);
  }

  stopping(): void {
    this.#send(SERVICE_MESSAGES.stopping);
  }
}

/**
 * struct sockaddr_un for `socket`: a path of the file system, or `@name` in the abstract namespace (unix(7)). Undefined for anything
 * else, and for what does not fit.
 */
function socketAddress(socket: string): Uint8Array | undefined {
  const isAbstract = socket.startsWith('@');
  if (!isAbstract && !socket.startsWith('/')) return undefined;
  const path = Buffer.from(isAbstract ? `\0${socket.slice(1)}` : `${socket}\0`);
  if (path.length > SUN_PATH_BYTES) return undefined;
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer);
  return Buffer.concat([family, path]);
}

/** Opens a socket for each message: there are a few a minute, and so nothing has to be closed at the end. */
function socketSender(components: { readonly libc: Libc; readonly log: Log }, address: Uint8Array): Send {
  const { libc, log } = components;
  const socket = libc.bind('int socket(int domain, int type, int protocol)');
  const close = libc.bind('int close(int fd)');
  const sendto = libc.bind(
    'long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, unsigned int addressLength)',
  );
  return (message) => {
    const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bytes = Buffer.from(message);
    const sent = descriptor < 0 ? -1 : sendto(descriptor, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
    if (sent < 0) log.warn('The service manager could not be told.', { message, errno: libc.errno() });
    if (descriptor >= 0) close(descriptor);
  };
}

/** Starts systemd-notify for each message, one after the other, so that they arrive in order. */
function programSender(socket: string, log: Log): Send {
  const env = { ...process.env, NOTIFY_SOCKET: socket };
  let last = Promise.resolve();
  return (message) => {
    last = last.then(
      () =>
        new Promise((resolve) => {
          const failed = (problem: string) => {
            log.warn('The service manager could not be told.', { message, problem });
            resolve();
          };
          const program = spawn('systemd-notify', [message], { env, stdio: 'ignore' });
          program.once('error', (error) => failed(error.message));
          program.once('exit', (code) => (code === 0 ? resolve() : failed(`systemd-notify ended with ${code}`)));
        }),
    );
  };
}
