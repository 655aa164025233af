/** UDP on this machine's loopback keeps the contract of Datagram: Node's own socket, and the one that the kernel stamps. */
import { Socket } from 'node:dgram';
import { readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { StampedDatagram } from '../../../src/io/udp/stamped-datagram.js';
import { UdpDatagram } from '../../../src/io/udp/udp-datagram.js';
import type { Address, Datagram } from '../../../src/ports/datagram.js';
import { runDatagramContract } from '../../contract/datagram.js';
import {
  passRealTime,
  processHandles,
  rejectionOf,
  runLifecycleContract,
  settled,
  until,
} from '../../contract/support.js';

const time = new SystemTime();
const libc = loadLibc();
const hasIpv6 = networkInterfaces().lo?.some((address) => address.family === 'IPv6') ?? false;

/** An address of this machine that needs a zone, with it. */
const linkLocal = Object.entries(networkInterfaces())
  .flatMap(([name, entries]) => (entries ?? []).map(({ address }) => ({ name, address })))
  .filter(({ address }) => address.startsWith('fe80:'))
  .map(({ name, address }) => `${address}%${name}`)[0];

interface Kind {
  readonly name: string;
  readonly make: (init: Address) => Datagram;
  /** Why it cannot be tried here. */
  readonly skip: string | false;
}

const KINDS: readonly Kind[] = [
  { name: 'UdpDatagram', make: (init) => new UdpDatagram({ time }, init), skip: false },
  {
    name: 'StampedDatagram',
    make: (init) => new StampedDatagram({ time, libc: libc! }, init),
    skip: libc === undefined && 'koffi has no binary for this machine',
  },
];

for (const { name, make: makeAt, skip } of KINDS) {
  await t.test(name, { skip }, async (t) => {
    const make = (port = 0) => makeAt({ host: '127.0.0.1', port });

    await runDatagramContract(t, `${name} on IPv4`, () => ({ time, pass: passRealTime, make }));

    if (hasIpv6) {
      await runDatagramContract(t, `${name} on IPv6`, () => ({
        time,
        pass: passRealTime,
        make: (port = 0) => makeAt({ host: '::1', port }),
      }));
    } else {
      t.test(`${name} on IPv6`, { skip: 'this machine has no IPv6 on its loopback' }, () => {});
    }

    const withoutZone = linkLocal === undefined && 'this machine has no link-local IPv6 address';
    await t.test(`${name} on a link-local address`, { skip: withoutZone }, async (t) => {
      const host = linkLocal!;
      await runDatagramContract(t, `${name} with a zone`, () => ({
        time,
        pass: passRealTime,
        make: (port = 0) => makeAt({ host, port }),
      }));
      // Bound to all, as is usual: whoever is asked answers to where the question came from.
      const [a, b] = [makeAt({ host: '::', port: 0 }), makeAt({ host: '::', port: 0 })];
      const heard: Address[] = [];
      const answers: number[] = [];
      const { port } = await b.start((_bytes, from) => heard.push(from));
      await a.start((bytes) => answers.push(bytes[0]!));
      a.send(Uint8Array.of(1), { host, port });
      await until(() => heard.length > 0, passRealTime, 'the question arrives');
      b.send(Uint8Array.of(2), heard[0]!);
      await until(() => answers.length > 0, passRealTime, 'the answer arrives');
      t.same(answers, [2]);
      await a.stop();
      await b.stop();
    });

    await runLifecycleContract(t, name, async () => {
      const sender = make();
      await sender.start(() => {});
      const probe = make();
      const { port } = await probe.start(() => {});
      await probe.stop();
      const datagram = make(port);
      let calls = 0;
      return {
        start: () => datagram.start(() => calls++),
        stop: () => datagram.stop(),
        provoke: () => void sender.send(Uint8Array.of(1), { host: '127.0.0.1', port }),
        calls: () => calls,
        hasHandlers: true,
        pass: passRealTime,
        timers: () => time.running(),
        handles: processHandles,
        close: () => sender.stop(),
      };
    });

    await t.test('an address that this machine does not have is refused', async (t) => {
      // TEST-NET-1 (RFC 5737): nobody has it.
      const datagram = makeAt({ host: '192.0.2.1', port: 0 });
      t.equal(await rejectionOf(datagram.start(() => {})), 'PORT_IN_USE');
      await datagram.stop();
    });

    await t.test('a host that is no address is refused, and never looked up', async (t) => {
      const bound = makeAt({ host: 'localhost', port: 0 });
      t.equal(await rejectionOf(bound.start(() => {})), 'PORT_IN_USE');
      const [a, b] = [make(), make()];
      const addressOfB = await b.start((bytes) => received.push(bytes[0]!));
      const received: number[] = [];
      await a.start(() => {});
      a.send(Uint8Array.of(1), { host: 'localhost', port: addressOfB.port });
      a.send(Uint8Array.of(2), addressOfB);
      await until(() => received.length > 0, passRealTime, 'what is sent to an address arrives');
      t.same(received, [2]);
      await a.stop();
      await b.stop();
    });

    await t.test('stop during start waits for it, and frees the port', async (t) => {
      const before = await settled(processHandles, passRealTime);
      const datagram = make();
      const started = datagram.start(() => {});
      await datagram.stop();
      t.match(await started, { host: '127.0.0.1' });
      await until(() => `${processHandles()}` === `${before}`, passRealTime, 'no handle is left');
    });

    await t.test('a departure is stamped between two readings around it', async (t) => {
      const datagram = make();
      const to = await datagram.start(() => {});
      const before = time.now();
      const sentAt = datagram.send(Uint8Array.of(1), to);
      t.ok(sentAt >= before && sentAt <= time.now());
      await datagram.stop();
    });
  });
}

t.test(
  'a socket that Node does not take is an error of the start, and is closed',
  { skip: KINDS[1]!.skip },
  async (t) => {
    const bind = Socket.prototype.bind;
    t.teardown(() => {
      Socket.prototype.bind = bind;
    });
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (const refuse of [
      function (this: Socket) {
        setImmediate(() => this.emit('error', new Error('too many files')));
        return this;
      },
      () => {
        throw new Error('no such kind of file');
      },
    ]) {
      Socket.prototype.bind = refuse;
      const datagram = KINDS[1]!.make({ host: '127.0.0.1', port: 0 });
      let outcome = '';
      void rejectionOf(datagram.start(() => {})).then((code) => {
        outcome = code;
      });
      await until(() => outcome !== '', passRealTime, 'the start ends');
      t.equal(outcome, 'PORT_IN_USE');
      await datagram.stop();
    }
    // In the first case the file is Node's by then, which this test's Node never took.
    await until(() => open() <= before + 1, passRealTime, 'what was refused at once is closed');
  },
);

/** Keeps this thread busy. */
const stall = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

t.test('a kernel stamp is that of the arrival, however long nobody looked', { skip: KINDS[1]!.skip }, async (t) => {
  const [a, b] = KINDS[1] ? [KINDS[1].make, KINDS[1].make].map((make) => make({ host: '127.0.0.1', port: 0 })) : [];
  const arrivals: bigint[] = [];
  await a!.start(() => {});
  const to = await b!.start((_bytes, _from, receivedAt) => void arrivals.push(receivedAt));
  /** Sends one that is looked at a while after it has come; gives what its stamp is later than the departure, and than the call's end. */
  const stampOfOne = async () => {
    const sentAt = a!.send(Uint8Array.of(1), to);
    const doneAt = time.now();
    const count = arrivals.length;
    stall(4);
    await until(() => arrivals.length > count, passRealTime, 'it arrives');
    // Over loopback a datagram has arrived when the call that sends it returns.
    return { afterDeparture: arrivals.at(-1)! - sentAt, afterCall: arrivals.at(-1)! - doneAt };
  };
  // The kernel begins to stamp a moment after it was asked to (net_enable_timestamp() is deferred): until then it is the look that counts.
  for (let tries = 0; (await stampOfOne()).afterCall > 3_000_000n && tries < 50; tries++);
  const stamps: { readonly afterDeparture: bigint; readonly afterCall: bigint }[] = [];
  for (let i = 0; i < 9; i++) stamps.push(await stampOfOne());
  await a!.stop();
  await b!.stop();
  // What reading two clocks one after another costs.
  const SLACK_NS = 6_000n;
  t.ok(
    stamps.every(({ afterDeparture }) => afterDeparture > -SLACK_NS),
    `after the departure by ${stamps.map(({ afterDeparture }) => afterDeparture)} ns`,
  );
  // Where this process is put aside between the two readings of a bridge, the stamp is given up for the time of looking: now and then.
  const kept = stamps.filter(({ afterCall }) => afterCall < SLACK_NS);
  t.ok(kept.length >= 5, `after the call by ${stamps.map(({ afterCall }) => afterCall)} ns`);
});
