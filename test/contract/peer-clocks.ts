/** What every PeerClocks keeps, between two nodes that reach one another. */
import type { Test } from 'tap';
import { peerBoundAt, peerTimeAt } from '../../src/clock/peer-line.js';
import type { NodeId } from '../../src/core/ids.js';
import type { ClockPeer, PeerClocks } from '../../src/ports/peer-clocks.js';
import type { Time } from '../../src/ports/time.js';
import { type Pass, until } from './support.js';

/** Two nodes: the one whose PeerClocks are looked at, and the other, which is up. */
export interface PeerClocksSetup {
  /** Not started yet. */
  readonly clocks: PeerClocks;
  readonly peer: ClockPeer;
  /** The two nodes' clocks, read at one instant. */
  readonly read: () => { readonly local: ReturnType<Time['now']>; readonly peer: ReturnType<Time['now']> };
  readonly pass: Pass;
  /** Ends what the set-up began. */
  close(): Promise<void>;
}

export const runPeerClocksContract = (t: Test, name: string, setup: () => Promise<PeerClocksSetup>): Promise<unknown> =>
  t.test(`${name} keeps the contract of PeerClocks`, async (t) => {
    /** A set-up that is started, with whom `changed` was called for. */
    const started = async (t: Test) => {
      const all = await setup();
      const heard: NodeId[] = [];
      await all.clocks.start((node) => void heard.push(node));
      t.teardown(async () => {
        await all.clocks.stop();
        await all.close();
      });
      return { ...all, heard };
    };

    await t.test('nothing is known of whom nobody follows', async (t) => {
      const { clocks, peer } = await started(t);
      t.equal(clocks.lineOf(peer.node), null);
      t.equal(clocks.roundTripOf(peer.node), null);
      t.same(clocks.counts(), { malformed: 0, strangers: 0, replayed: 0 });
    });

    await t.test('a line tells the peer’s clock to its bound, and `changed` says when', async (t) => {
      const { clocks, peer, read, pass, heard } = await started(t);
      clocks.follow([peer]);
      await until(() => heard.length > 0, pass, 'the peer is heard');
      t.equal(heard[0], peer.node);
      const line = clocks.lineOf(peer.node)!;
      const now = read();
      const errorNs = Math.abs(Number(peerTimeAt(line, now.local) - now.peer));
      t.ok(errorNs <= peerBoundAt(line, now.local), `${errorNs} ns, bound ${peerBoundAt(line, now.local)}`);
      t.ok(line.boundNs > 0 && line.boundPpm > 0);
      t.ok(clocks.roundTripOf(peer.node)! > 0);
      await until(() => heard.length > 2, pass, 'it is heard again and again');
      t.ok(clocks.lineOf(peer.node)!.localAt > line.localAt, 'and the line renewed');
    });

    await t.test('who may be followed before the start', async (t) => {
      const { clocks, peer, pass, close } = await setup();
      clocks.follow([peer]);
      t.equal(clocks.lineOf(peer.node), null);
      let heard = 0;
      await clocks.start(() => heard++);
      await until(() => heard > 0, pass, 'the peer is heard');
      await clocks.stop();
      await close();
    });

    await t.test('who is not followed any more is forgotten', async (t) => {
      const { clocks, peer, pass, heard } = await started(t);
      clocks.follow([peer]);
      await until(() => heard.length > 0, pass, 'the peer is heard');
      clocks.follow([]);
      t.equal(clocks.lineOf(peer.node), null);
      t.equal(clocks.roundTripOf(peer.node), null);
    });

    await t.test('after stop nothing is called, and stopping twice or unstarted is fine', async (t) => {
      const { clocks, peer, pass, close } = await setup();
      let heard = 0;
      await clocks.start(() => heard++);
      clocks.follow([peer]);
      await until(() => heard > 0, pass, 'the peer is heard');
      await clocks.stop();
      await clocks.stop();
      const last = heard;
      for (let i = 0; i < 20; i++) await pass();
      t.equal(heard, last);
      await close();
      const unstarted = await setup();
      await unstarted.clocks.stop();
      await unstarted.close();
    });
  });
