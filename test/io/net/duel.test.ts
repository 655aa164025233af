/**
 * Two peers that dial one another end with one connection per channel, the same one at both ends: in every order of events that a
 * seeded scheduler comes up with, with connections that break at any time and processes that start anew.
 *
 * Wires are doubles: each direction is a queue of frames and an end, and the scheduler chooses which queue moves on.
 */
import t from 'tap';
import type { Incarnation, NodeId } from '../../../src/core/ids.js';
import { Prng } from '../../../src/core/prng.js';
import type { ConnectionOwner, Wire } from '../../../src/io/net/connection.js';
import { KIND } from '../../../src/io/net/frames.js';
import { decodeHello, encodeHello, encodeRefusal, PROTOCOL_VERSION } from '../../../src/io/net/greeting.js';
import { Peer } from '../../../src/io/net/peer.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import type { Channel } from '../../../src/ports/peer-link.js';
import { QUIET_HANDLERS } from '../../contract/peer-link.js';
import { A, B, CLUSTER } from './rig.js';

type Item = { readonly kind: number; readonly body: Uint8Array } | 'end';

/** One end of a connection. */
class FakeWire implements Wire {
  owner: ConnectionOwner;
  readonly queuedBytes = 0;
  other: FakeWire | undefined;
  /** What is on its way to this end. */
  readonly arriving: Item[] = [];
  /** The key is not proven yet. */
  isConnecting = false;
  isClosed = false;
  isHeld = false;

  constructor(owner: ConnectionOwner) {
    this.owner = owner;
  }

  send(kind: number, body: Uint8Array): void {
    if (!this.isClosed && this.other !== undefined && !this.other.isClosed) this.other.arriving.push({ kind, body });
  }

  becomeMember(): void {}

  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.other?.arriving.push('end');
  }
}

/** One node, seen from its peer. */
class Side {
  readonly id: NodeId;
  readonly #house: House;
  #session = 0;
  peer!: Peer;
  readonly events: string[] = [];
  /** Messages of the pair, to see that they are of one connection. */
  readonly received: string[] = [];

  constructor(house: House, id: NodeId) {
    this.id = id;
    this.#house = house;
    this.restart();
  }

  /** A new process: what the old one held is gone. */
  restart(): void {
    this.peer?.stop();
    this.#session++;
    const session = this.#session;
    this.peer = new Peer(
      {
        log: new FakeLog(),
        handlers: () =>
          session === this.#session
            ? {
                ...QUIET_HANDLERS,
                up: () => {
                  this.events.push('up');
                  this.peer.send('control', Uint8Array.of(1));
                },
                down: () => this.events.push('down'),
                message: (_from, channel, bytes) => this.received.push(`${channel} ${bytes[0]}`),
              }
            : undefined,
        dial: (_address, owner) => this.#house.dial(this, owner),
        hello: (channel, count) => this.hello(channel, count),
        admissions: { count: 0 },
        isOwnCluster: () => true,
        count: () => {},
        later: (_name, delayMs, callback) => this.#house.later(delayMs, callback),
        draw: () => this.#house.prng.fraction(),
      },
      { own: this.id, peer: this.id === A ? B : A, address: 'elsewhere:1' },
    );
    this.peer.start();
  }

  /** A stranger's first frame, as the reception treats it. */
  greet(wire: FakeWire, body: Uint8Array): void {
    if (this.peer.meet(wire, decodeHello(body))) return;
    wire.send(KIND.refusal, encodeRefusal({ version: PROTOCOL_VERSION, code: 'duplicate', detail: 'One is there.' }));
    wire.close();
  }

  hello(channel: Channel, count: number): Uint8Array {
    return encodeHello({
      cluster: CLUSTER,
      node: this.id,
      to: this.id === A ? B : A,
      incarnation: '1'.repeat(32) as Incarnation,
      session: `${this.#session}`.padStart(32, '0'),
      channel,
      count,
      address: 'elsewhere:1',
      card: new Uint8Array(0),
    });
  }
}

/** Both nodes, all wires, all timers, and the scheduler. */
class House {
  readonly prng: Prng;
  readonly wires = new Set<FakeWire>();
  readonly timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  readonly sides: readonly [Side, Side];
  nowMs = 0;

  constructor(seed: number) {
    this.prng = new Prng(seed);
    this.sides = [new Side(this, A), new Side(this, B)];
  }

  dial(from: Side, owner: ConnectionOwner): FakeWire {
    const guest = new FakeWire(owner);
    guest.isConnecting = true;
    const host = new FakeWire({
      frame: (_wire, _kind, body) => {
        const to = this.sides[from.id === A ? 1 : 0];
        to.greet(host, body);
      },
      lost: () => {},
    });
    guest.other = host;
    host.other = guest;
    this.wires.add(guest).add(host);
    return guest;
  }

  later(delayMs: number, callback: () => void) {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  /** One thing happens. False where nothing is left to happen but timers. */
  step(): boolean {
    const ready = [...this.wires].filter(
      (wire) => !wire.isClosed && (wire.isConnecting || (wire.arriving.length > 0 && !wire.isHeld)),
    );
    if (ready.length === 0) return false;
    const wire = ready[this.prng.below(ready.length)]!;
    if (wire.isConnecting && wire.arriving[0] !== 'end') {
      wire.isConnecting = false;
      wire.owner.secured?.(wire);
      return true;
    }
    const item = wire.arriving.shift()!;
    if (item === 'end') {
      wire.close();
      wire.owner.lost(wire, 'broken', undefined);
    } else {
      wire.owner.frame(wire, item.kind, item.body);
    }
    return true;
  }

  /** The next timer fires. */
  fire(): void {
    const next = [...this.timers].toSorted((a, b) => a.dueMs - b.dueMs)[0];
    if (next === undefined) return;
    this.timers.delete(next);
    this.nowMs = next.dueMs;
    next.callback();
  }

  /** A connection ends under both its ends, who hear of it when they do. */
  breakOne(): void {
    const open = [...this.wires].filter(({ isClosed }) => !isClosed);
    const wire = open[this.prng.below(Math.max(1, open.length))];
    wire?.arriving.push('end');
    wire?.other?.arriving.push('end');
  }

  open(): FakeWire[] {
    return [...this.wires].filter(({ isClosed }) => !isClosed);
  }
}

function run(seed: number, faults: number): { readonly house: House; readonly timersFired: number } {
  const house = new House(seed);
  for (let fault = 0; fault < faults; fault++) {
    for (let steps = house.prng.below(30); steps > 0; steps--) if (!house.step()) house.fire();
    if (house.prng.below(8) === 0) house.sides[house.prng.below(2)]!.restart();
    else house.breakOne();
  }
  // Now nothing goes wrong any more.
  let timersFired = 0;
  for (let steps = 0; steps < 2_000; steps++) {
    if (house.step()) continue;
    if (house.sides.every(({ peer }) => peer.isUp) && house.timers.size === 0) break;
    house.fire();
    timersFired++;
  }
  return { house, timersFired };
}

t.test('two that dial one another end with two connections, the same ones at both ends', (t) => {
  const most = { timers: 0 };
  for (let seed = 1; seed <= 3_000; seed++) {
    const { house, timersFired } = run(seed, seed % 3 === 0 ? 0 : 1 + (seed % 12));
    most.timers = Math.max(most.timers, timersFired);
    const [a, b] = house.sides;
    const open = house.open();
    const isRight = a.peer.isUp && b.peer.isUp && open.length === 4 && open.every(({ other }) => !other!.isClosed);
    if (!isRight) return void t.fail(`seed ${seed}: ${open.length} ends are open, up: ${a.peer.isUp} ${b.peer.isUp}`);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      to.received.length = 0;
      if (!from.peer.send('control', Uint8Array.of(7)) || !from.peer.send('bulk', Uint8Array.of(8))) {
        return void t.fail(`seed ${seed}: it does not send`);
      }
      while (house.step());
      if (`${to.received.toSorted()}` !== 'bulk 8,control 7') return void t.fail(`seed ${seed}: ${to.received}`);
    }
  }
  t.ok(most.timers < 12, `at most ${most.timers} attempts were needed`);
  t.end();
});

t.test('without faults nothing is lost again once it stands, nor what is sent the moment it does', (t) => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const { house, timersFired } = run(seed, 0);
    if (timersFired > 0) return void t.fail(`seed ${seed}: a first attempt should do`);
    while (house.step());
    for (const { events, received } of house.sides) {
      if (`${events}` !== 'up') return void t.fail(`seed ${seed}: ${events}`);
      if (`${received}` !== 'control 1') return void t.fail(`seed ${seed}: received ${received}`);
    }
  }
  t.pass('2,000 orders of events');
  t.end();
});

t.test('a bulk connection is let in with the control connection that it names, and with no other', (t) => {
  const house = new House(1);
  const [a, b] = house.sides;
  b.peer.stop();
  const greet = (channel: Channel, count: number): boolean => {
    const wire = new FakeWire({ frame: () => {}, lost: () => {} });
    a.greet(wire, b.hello(channel, count));
    return !wire.isClosed;
  };
  t.notOk(greet('bulk', 0), 'there is no control connection');
  t.ok(greet('control', 0), 'the first that A lets in');
  t.ok(greet('control', 0), 'the second takes its place');
  t.notOk(greet('bulk', 1), 'of the first');
  t.notOk(a.peer.isUp);
  t.ok(greet('bulk', 2));
  t.ok(a.peer.isUp);
  t.notOk(greet('bulk', 2), 'one is enough');
  t.ok(a.peer.isUp);
  t.end();
});
