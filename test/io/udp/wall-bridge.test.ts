/** From stamps of the wall clock to the local one. */
import t from 'tap';
import { localTime } from '../../../src/core/units.js';
import { socketAddress as addressOf } from '../../../src/io/udp/socket-address.js';
import { WallBridge } from '../../../src/io/udp/wall-bridge.js';

/** A bridge over two clocks that the test moves; each reading of the local one takes `readingNs`. */
function bridge(readingNs = 100n) {
  const clocks = { local: 5_000_000_000n, wall: 1_700_000_000_000_000_000n };
  const world = {
    clocks,
    readingNs,
    bridge: new WallBridge({
      time: {
        now: () => {
          clocks.local += world.readingNs;
          clocks.wall += world.readingNs;
          return localTime(clocks.local);
        },
      },
      wallClock: () => clocks.wall,
    }),
    pass: (ns: bigint) => {
      clocks.local += ns;
      clocks.wall += ns;
    },
  };
  return world;
}

t.test('a stamp of so long ago is that instant of the local clock', async (t) => {
  const world = bridge();
  const stamp = world.clocks.wall;
  const { local } = world.clocks;
  world.pass(70_000n);
  const found = world.bridge.localOf(stamp)!;
  t.ok(found >= local - 100n && found <= local + 100n, `${found - local} ns off`);
});

t.test('stamps of the future, or of too long ago, say nothing', async (t) => {
  const world = bridge();
  t.equal(world.bridge.localOf(world.clocks.wall + 1_000_000n), null);
  t.equal(world.bridge.localOf(world.clocks.wall - 25_000_000n), null);
  t.ok(world.bridge.localOf(world.clocks.wall - 15_000_000n));
});

t.test('where the thread is interrupted between the readings it is tried again, and given up', async (t) => {
  const world = bridge(9_000n);
  t.equal(world.bridge.localOf(world.clocks.wall), null);
  world.readingNs = 100n;
  t.ok(world.bridge.localOf(world.clocks.wall));
});

t.test('a step of the wall clock costs the one stamp that it may have fallen into', async (t) => {
  for (const stepNs of [-3_600_000_000_000n, -50_000n, 50_000n, 3_600_000_000_000n]) {
    const world = bridge();
    t.ok(world.bridge.localOf(world.clocks.wall));
    const stamp = world.clocks.wall;
    world.pass(80_000n);
    world.clocks.wall += stepNs;
    t.equal(world.bridge.localOf(stamp), null, `a step of ${stepNs} ns`);
    world.pass(1_000_000n);
    t.ok(world.bridge.localOf(world.clocks.wall), 'the next one counts');
  }
});

t.test('a slew is no step: ages are told by the rate that it gives, from the second look on', async (t) => {
  for (const ppm of [500n, -83_333n]) {
    const world = bridge();
    t.ok(world.bridge.localOf(world.clocks.wall));
    const pass = (ns: bigint) => {
      world.pass(ns);
      world.clocks.wall += (ns * ppm) / 1_000_000n;
    };
    pass(3_000_000_000n);
    t.equal(world.bridge.localOf(world.clocks.wall), null, 'nobody can say when it set in');
    pass(4_000_000n);
    world.bridge.look();
    const stamp = world.clocks.wall;
    const { local } = world.clocks;
    pass(900_000n);
    const found = world.bridge.localOf(stamp)!;
    t.ok(found >= local - 500n && found <= local + 500n, `${found - local} ns off at ${ppm} ppm`);
    pass(3_000_000_000n);
    t.ok(world.bridge.localOf(world.clocks.wall), 'as long as it goes on the same');
  }
});

const hex = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString('hex');

/** The interfaces of a machine. */
const indexOf = (name: string) => (name === 'eth0' ? 0x0102 : 0);
const socketAddress = (family: number, host: string, port: number) => addressOf(family, host, port, indexOf);

t.test('socket addresses are as C takes them', async (t) => {
  t.equal(hex(socketAddress(2, '192.168.1.20', 7420)), '02001cfcc0a801140000000000000000');
  t.equal(hex(socketAddress(10, '::', 0)), `0a000000${'0'.repeat(48)}`);
  t.equal(hex(socketAddress(10, '::1', 7420)), `0a001cfc00000000${'0'.repeat(30)}0100000000`);
  t.equal(hex(socketAddress(10, 'fe80::a:b', 1)), '0a00000100000000fe80000000000000000000000' + '00a000b00000000');
  t.equal(
    hex(socketAddress(10, '2001:db8:1:2:3:4:5:6', 1)),
    '0a0000010000000020010db800010002000300040005000600000000',
  );
});

t.test('a zone is the number of an interface of this machine, by its name or as it is', async (t) => {
  t.equal(hex(socketAddress(10, 'fe80::1%eth0', 1)), `0a00000100000000fe80${'0'.repeat(27)}102010000`);
  t.equal(hex(socketAddress(10, 'fe80::1%7', 1)), `0a00000100000000fe80${'0'.repeat(27)}107000000`);
  t.equal(socketAddress(10, 'fe80::1%wlan0', 1), null, 'there is no such interface');
});

t.test('an IPv6 socket reaches IPv4 addresses, an IPv4 one no IPv6 address, nobody a name', async (t) => {
  t.equal(hex(socketAddress(10, '10.1.2.3', 1)), `0a00000100000000${'0'.repeat(20)}ffff0a01020300000000`);
  t.equal(hex(socketAddress(10, '::ffff:10.1.2.3', 1)), `0a00000100000000${'0'.repeat(20)}ffff0a01020300000000`);
  t.equal(socketAddress(2, '::1', 1), null);
  t.equal(socketAddress(2, 'localhost', 1), null);
  t.equal(socketAddress(2, 'fe80::1%eth0', 1), null);
});
