/** What every PeerMail keeps. */
import type { Test } from 'tap';
import { type NodeId, nodeId } from '../../src/core/ids.js';
import { type Channel, MESSAGE_BYTES_MAX } from '../../src/ports/peer-link.js';
import { MAIL_FIRST_BYTE, type PeerMail } from '../../src/ports/peer-mail.js';
import { codeOf, type Pass, until } from './support.js';

export interface PeerMailSetup {
  readonly pass: Pass;
  /** Mail of `node`, not started; who else there is, is for `connect` to say. */
  make(node: NodeId): Promise<PeerMail>;
  /** From now on there are connections between all that were made. */
  connect(): Promise<void>;
  /** Breaks the connections between two nodes; they are made anew. */
  breakConnections(a: NodeId, b: NodeId): void;
}

/** A node with what happened to it: `up a`, `a control 64 7` (the first two bytes), `down a`. */
interface Member {
  readonly id: NodeId;
  readonly mail: PeerMail;
  readonly events: string[];
}

const A = nodeId('a'.repeat(32));
const B = nodeId('b'.repeat(32));

const short = (id: NodeId): string => id.slice(0, 1);

export const runPeerMailContract = (
  t: Test,
  name: string,
  setup: (t: Test) => PeerMailSetup | Promise<PeerMailSetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of PeerMail`, async (t) => {
    const member = async (made: PeerMailSetup, id: NodeId): Promise<Member> => ({
      id,
      mail: await made.make(id),
      events: [],
    });

    const start = ({ mail, events }: Member): void => {
      let isWithinCall = true;
      const note = (event: string) => events.push(isWithinCall ? `${event}, within the call of start` : event);
      mail.start({
        message: (from, channel, bytes) => note(`${short(from)} ${channel} ${bytes[0]} ${bytes[1]}`),
        up: (peer) => note(`up ${short(peer)}`),
        down: (peer) => note(`down ${short(peer)}`),
      });
      isWithinCall = false;
    };

    /** Two members that are up. */
    const pair = async (t: Test) => {
      const made = await setup(t);
      const [a, b] = [await member(made, A), await member(made, B)];
      for (const one of [a, b]) start(one);
      await made.connect();
      await until(() => a.events.length > 0 && b.events.length > 0, made.pass, 'both are up');
      t.same([a.events, b.events], [['up b'], ['up a']]);
      a.events.length = 0;
      b.events.length = 0;
      return { a, b, made, pass: made.pass };
    };

    const send = (from: Member, to: Member, channel: Channel, value: number, length = 2): boolean => {
      const bytes = new Uint8Array(length);
      bytes[0] = MAIL_FIRST_BYTE.least;
      bytes[1] = value;
      return from.mail.send(to.id, channel, bytes);
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
        numbers.map((value) => `b control 64 ${value}`),
      );
      for (const channel of ['control', 'bulk']) {
        t.same(
          b.events.filter((event) => event.includes(channel)),
          numbers.map((value) => `a ${channel} 64 ${value}`),
        );
      }
    });

    await t.test('every first byte that is mail’s arrives, and others are not taken', async (t) => {
      const { a, b, pass } = await pair(t);
      const { least, most } = MAIL_FIRST_BYTE;
      for (let first = least; first <= most; first++) t.ok(a.mail.send(B, 'control', Uint8Array.of(first, 1)));
      await until(() => b.events.length === most - least + 1, pass, 'all arrive');
      t.equal(b.events.at(-1), `a control ${most} 1`);
      for (const first of [0, least - 1, most + 1, 255]) {
        t.throws(() => a.mail.send(B, 'control', Uint8Array.of(first)), { name: 'InvariantError' });
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
    });

    await t.test('who is not up is not sent to, and nothing is known of it', async (t) => {
      const made = await setup(t);
      const [a, b] = [await member(made, A), await member(made, B)];
      start(a);
      t.notOk(send(a, b, 'control', 1));
      t.equal(a.mail.queuedBytes(B, 'bulk'), 0);
      t.equal(a.mail.roundTripMs(B), null);
      t.same(a.events, []);
    });

    await t.test('who starts late hears of those who are up', async (t) => {
      const made = await setup(t);
      const [a, b] = [await member(made, A), await member(made, B)];
      start(a);
      await made.connect();
      await until(() => a.events.length > 0, made.pass, 'a hears of b');
      t.ok(send(a, b, 'control', 1), 'what b is sent before it starts is lost');
      for (let chance = 0; chance < 20; chance++) await made.pass();
      start(b);
      await until(() => b.events.length > 0, made.pass, 'b hears of a');
      t.ok(send(a, b, 'control', 2));
      await until(() => b.events.length > 1, made.pass, 'and what it says');
      t.same(b.events, ['up a', 'a control 64 2']);
    });

    await t.test('a broken connection is told to both ends, and made anew', async (t) => {
      const { a, b, made, pass } = await pair(t);
      made.breakConnections(A, B);
      await until(() => a.events.length === 2 && b.events.length === 2, pass, 'they are up again');
      t.same([...a.events, ...b.events], ['down b', 'up b', 'down a', 'up a']);
      t.ok(send(a, b, 'control', 9));
      await until(() => b.events.length === 3, pass, 'a message passes');
    });

    await t.test('what waits is counted, a full queue refuses, and takes again when it has emptied', async (t) => {
      const { a, b, pass } = await pair(t);
      t.equal(a.mail.queuedBytes(B, 'bulk'), 0);
      let taken = 0;
      while (send(a, b, 'bulk', taken, MESSAGE_BYTES_MAX.bulk)) taken++;
      t.ok(taken > 0 && taken < 100, `it took ${taken}, and not for ever`);
      t.ok(a.mail.queuedBytes(B, 'bulk') >= MESSAGE_BYTES_MAX.bulk);
      await until(() => b.events.length === taken, pass, 'what it took arrives');
      await until(() => a.mail.queuedBytes(B, 'bulk') === 0, pass, 'nothing waits any more');
      t.ok(send(a, b, 'bulk', 200));
    });

    await t.test('a round trip is measured for who asks, anew after each connection', async (t) => {
      const { a, made, pass } = await pair(t);
      t.equal(a.mail.roundTripMs(B), null, 'none was measured yet');
      await until(() => a.mail.roundTripMs(B) !== null, pass, 'the first is measured');
      const { least, latest } = a.mail.roundTripMs(B)!;
      t.ok(least > 0 && least <= latest, `${least} ms at least, ${latest} ms now`);
      made.breakConnections(A, B);
      await until(() => a.events.length === 2, pass, 'they are up again');
      t.equal(a.mail.roundTripMs(B), null);
      t.same(a.events, ['down b', 'up b'], 'and no message of it is seen');
    });

    await t.test('who stops hears nothing any more, and the other end does not notice', async (t) => {
      const { a, b, pass } = await pair(t);
      t.ok(send(a, b, 'control', 1));
      b.mail.stop();
      b.mail.stop();
      for (let chance = 0; chance < 20; chance++) await pass();
      t.same([a.events, b.events], [[], []]);
      t.notOk(send(b, a, 'control', 1));
    });
  });
