/** The clock's thread: owns the UDP socket, measures the clocks of other nodes, answers when they measure this one's. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveLeaseLamp } from '../io/gpio/lease-lamp.js';
import { lineCalls } from '../io/gpio/line-calls.js';
import { loadLibc } from '../io/libc/libc.js';
import { SystemRandom } from '../io/random/system-random.js';
import { SystemTime } from '../io/time/system-time.js';
import { lookUpFor } from '../io/udp/look-up.js';
import { StampedDatagram } from '../io/udp/stamped-datagram.js';
import { UdpDatagram } from '../io/udp/udp-datagram.js';
import type { LogFields } from '../ports/log.js';
import { type FromClock, serveClock } from '../timekeeping/clock-thread.js';
import { Timekeeper } from '../timekeeping/timekeeper.js';
import type { ClockThreadSetup } from './spawn-clock.js';

const { node, boot, key, listen, lamp } = workerData as ClockThreadSetup;
const owner = parentPort!;
const libc = loadLibc();
const time = new SystemTime({ libc });

const warn = (text: string, fields: LogFields) => {
  owner.postMessage({ type: 'warning', text, fields } satisfies FromClock);
};

/** Kernel stamps where the C library can be called, else Node's own socket. */
function datagramOf() {
  if (libc !== undefined) return new StampedDatagram({ time, libc }, listen);
  warn('datagrams are stamped by Node and not by the kernel: the clock is less exact on a busy machine', {});
  return new UdpDatagram({ time }, listen);
}

if (lamp !== undefined) serveLeaseLamp({ port: lamp, time, calls: libc && lineCalls(libc) });
const lookUp = lookUpFor(listen.host, warn);
serveClock({
  port: owner,
  timekeeper: new Timekeeper({ datagram: datagramOf(), time, random: new SystemRandom(), lookUp }, { node, boot, key }),
});
