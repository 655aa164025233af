/** What every PeerLink keeps. */
import type { Test } from 'tap';
import { type NodeId, nodeId } from '../../src/core/ids.js';
import { type Channel, MESSAGE_BYTES_MAX, type PeerLink } from '../../src/ports/peer-link.js';
import { codeOf, type Pass, rejectionOf, until } from './support.js';

export interface PeerLinkSetup {
  readonly pass: Pass;
  /** A link of `node` that is not started yet, and the address ("host:port") at which peers find it. */
  make(node: NodeId): { readonly link: PeerLink; readonly address: string };
  /** A second link at the address of the first. */
  makeSame(node: NodeId): PeerLink;
  /** Breaks the connections between two nodes; they may be made anew. */
  breakConnections(a: NodeId, b: NodeId): void;
}

/** A node with what happened to it. */
interface Member {
  readonly id: NodeId;
  readonly link: PeerLink;
  readonly address: string;
  /** Such as `up a`, `a control 7` (the first byte), `down a`. */
  readonly events: string[];
}

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));
const C = nodeId('c'.repeat(32));

const short = (id: NodeId): string => id.slice(0, 1);

export const runPeerLinkContract = (t: Test, name: string, setup: () => PeerLinkSetup): Promise<unknown> =>
  t.test(`${name} keeps the contract of PeerLink`, async (t) => {
    const member = (made: PeerLinkSetup, id: NodeId): Member => ({ id, ...made.make(id), events: [] });

    const start = (one: Member): Promise<void> =>
      one.link.start({
        message: (from, channel, bytes) => one.events.push(`${short(from)} ${channel} ${bytes[0]}`),
        up: (peer) => one.events.push(`up ${short(peer)}`),
        down: (peer) => one.events.push(`down ${short(peer)}`),
      });

    const setPeers = (one: Member, ...others: readonly Member[]) =>
      one.link.setPeers(new Map(others.map((other) => [other.id, other.address])));

    /** Two members that are up. */
    const pair = async (t: Test) => {
      const made = setup();
      const [a, b] = [member(made, A), member(made, B)];
      setPeers(a, b);
      await start(a);
      await start(b);
      setPeers(b, a);
      t.teardown(async () => {
        await a.link.stop();
        await b.link.stop();
      });
      await until(() => a.events.length > 0 && b.events.length > 0, made.pass, 'both ends are up');
      t.same([a.events, b.events], [['up b'], ['up a']]);
      a.events.length = 0;
      b.events.length = 0;
      return { a, b, made, pass: made.pass };
    };

    const send = (from: Member, to: Member, channel: Channel, value: number, length = 1): boolean => {
      const bytes = new Uint8Array(length);
      bytes[0] = value;
      return from.link.send(to.id, channel, bytes);
    };

    await t.test('messages arrive once, in order within each channel, both ways', async (t) => {
      const { a, b, pass } = await pair(t);
      for (let value = 0; value < 50; value++) {
        t.ok(send(a, b, 'control', value));
        t.ok(send(a, b, 'bulk', value));
        t.ok(send(b, a, 'control', value));
      }
      await until(() => a.events.length >= 50 && b.events.length >= 100, pass, 'all arrive');
      const numbers = Array.from({ length: 50 }, (_, value) => value);
      t.same(
        a.events,
        numbers.map((value) => `b control ${value}`),
      );
      for (const channel of ['control', 'bulk']) {
        t.same(
          b.events.filter((event) => event.includes(channel)),
          numbers.map((value) => `a ${channel} ${value}`),
        );
      }
    });

    await t.test('the largest messages pass, larger ones are refused', async (t) => {
      const { a, b, pass } = await pair(t);
      for (const channel of ['control', 'bulk'] as const) {
        t.ok(send(a, b, channel, 1, MESSAGE_BYTES_MAX[channel]));
        t.equal(
          codeOf(() => send(a, b, channel, 2, MESSAGE_BYTES_MAX[channel] + 1)),
          'BAD_REQUEST',
        );
      }
      await until(() => b.events.length === 2, pass, 'both arrive');
      t.same(b.events.toSorted(), ['a bulk 1', 'a control 1']);
    });

    await t.test('who is not up is not sent to', async (t) => {
      const made = setup();
      const [a, b] = [member(made, A), member(made, B)];
      t.notOk(send(a, b, 'control', 1), 'before start');
      await start(a);
      t.notOk(send(a, b, 'control', 1), 'before a peer is named');
      setPeers(a, b);
      t.notOk(send(a, b, 'control', 1), 'before the peer is there');
      await a.link.stop();
      t.notOk(send(a, b, 'control', 1), 'after stop');
      t.same(a.events, []);
    });

    await t.test('both ends must name one another', async (t) => {
      const made = setup();
      const [a, b, c] = [member(made, A), member(made, B), member(made, C)];
      for (const one of [a, b, c]) await start(one);
      t.teardown(async () => {
        for (const one of [a, b, c]) await one.link.stop();
      });
      setPeers(a, b, c);
      setPeers(b, a);
      setPeers(c, b);
      await until(() => b.events.length > 0, made.pass, 'a and b are up');
      for (let chance = 0; chance < 200; chance++) await made.pass();
      t.same(a.events, ['up b']);
      t.same(b.events, ['up a']);
      t.same(c.events, [], 'c named b, which did not name it, and was named by a, which it did not name');
      setPeers(b, a, c);
      await until(() => c.events.length > 0, made.pass, 'b and c are up');
      t.same([b.events, c.events], [['up a', 'up c'], ['up b']]);
    });

    await t.test('a peer that is not named any more is cut off', async (t) => {
      const { a, b, pass } = await pair(t);
      setPeers(a);
      await until(() => a.events.length > 0 && b.events.length > 0, pass, 'both ends notice');
      t.same([a.events, b.events], [['down b'], ['down a']]);
      t.notOk(send(a, b, 'control', 1));
    });

    await t.test('a broken connection is told to both ends, and made anew', async (t) => {
      const { a, b, made, pass } = await pair(t);
      made.breakConnections(A, B);
      await until(() => a.events.length === 2 && b.events.length === 2, pass, 'they are up again');
      t.same(
        [a.events, b.events],
        [
          ['down b', 'up b'],
          ['down a', 'up a'],
        ],
      );
      t.ok(send(a, b, 'control', 9));
      await until(() => b.events.length === 3, pass, 'a message passes');
      t.equal(b.events[2], 'a control 9');
    });

    await t.test('a peer that stops goes down, and what is sent to it is lost', async (t) => {
      const { a, b, pass } = await pair(t);
      await b.link.stop();
      send(a, b, 'control', 1);
      await until(() => a.events.length > 0, pass, 'the other end notices');
      t.same(a.events, ['down b']);
      t.same(b.events, [], 'the one that stopped hears nothing');
      t.notOk(send(a, b, 'control', 2));
    });

    await t.test('a queue that is full refuses, and takes again when it has emptied', async (t) => {
      const { a, b, pass } = await pair(t);
      let taken = 0;
      while (send(a, b, 'control', taken, MESSAGE_BYTES_MAX.control)) taken++;
      t.ok(taken > 0 && taken < 256, `it took ${taken}, and not for ever`);
      await until(() => b.events.length === taken, pass, 'what it took arrives');
      t.ok(send(a, b, 'control', 200));
      await until(() => b.events.length === taken + 1, pass, 'and the next one too');
    });

    await t.test('a taken address is refused', async (t) => {
      const { made } = await pair(t);
      const second = made.makeSame(A);
      const handlers = { message: () => {}, up: () => {}, down: () => {} };
      t.equal(await rejectionOf(second.start(handlers)), 'PORT_IN_USE');
      await second.stop();
    });
  });
