/** The clock's thread: owns the UDP socket, measures the clocks of other nodes, answers when they measure this one's. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { loadLibc } from '../io/libc/libc.js';
import { SystemRandom } from '../io/random/system-random.js';
import { SystemTime } from '../io/time/system-time.js';
import { StampedDatagram } from '../io/udp/stamped-datagram.js';
import { UdpDatagram } from '../io/udp/udp-datagram.js';
import { type FromClock, serveClock } from '../timekeeping/clock-thread.js';
import { Timekeeper } from '../timekeeping/timekeeper.js';
import type { ClockThreadSetup } from './spawn-clock.js';

const { node, boot, key, listen } = workerData as ClockThreadSetup;
const owner = parentPort!;
const libc = loadLibc();
const time = new SystemTime({ libc });

/** Kernel stamps where the C library can be called, else Node's own socket. */
function datagramOf() {
  if (libc !== undefined) return new StampedDatagram({ time, libc }, listen);
  const warning: FromClock = {
    type: 'warning',
    text: 'datagrams are stamped by Node and not by the kernel: the clock is less exact on a busy machine',
    fields: {},
  };
  owner.postMessage(warning);
  return new UdpDatagram({ time }, listen);
}

/** Names of nodes, such as kitchen.local. */
function lookUp(host: string, found: (host: string | null) => void): void {
  if (isIP(host) !== 0) found(host);
  else
    lookup(host, { family: isIP(listen.host) === 6 ? 0 : 4 }, (error, address) =>
      found(error === null ? address : null),
    );
}

serveClock({
  port: owner,
  timekeeper: new Timekeeper({ datagram: datagramOf(), time, random: new SystemRandom(), lookUp }, { node, boot, key }),
});
