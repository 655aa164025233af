/**
 * PeerHub: one set of connections, two users who do not see each other. Consensus has a {@link PeerLink} as if it were alone, the tracks
 * have a {@link PeerMail}. A message's first byte says whose it is.
 *
 *     below 64     consensus: frames.ts
 *     64 to 239    mail
 *     240, 241     the hub's own: a probe, and the answer to it
 *
 * Who sends files has to notice when they get in the way of what must not wait, so the hub measures what a control message and its answer
 * take. Consensus's own heartbeats would not do: between two nodes of which neither votes there are none. A probe travels only while
 * somebody asks for the figure: a house in which nothing is copied sends none.
 */
import { assert } from '../core/assert.js';
import { ByteReader, ByteWriter } from '../core/cursor.js';
import { TuttiError } from '../core/errors.js';
import type { NodeId } from '../core/ids.js';
import type { Channel, PeerHello, PeerLink, PeerLinkHandlers } from '../ports/peer-link.js';
import { MAIL_FIRST_BYTE, type PeerMail, type PeerMailHandlers, type RoundTrip } from '../ports/peer-mail.js';
import type { Time, Timer } from '../ports/time.js';

/** First bytes of the hub's own messages; a number follows that comes back in the answer. */
const OWN = { probe: 240, answer: 241 } as const;
/** At most so often a peer is probed, milliseconds: often enough for who sends some chunks a second. */
const PROBE_MS = 200;
/** A probe without an answer is given up after this, milliseconds, and another is sent. */
const PROBE_MS_MAX = 5_000;
/** Longest probe that is answered. */
const PROBE_BYTES_MAX = 16;

const writer = new ByteWriter();

/** What the hub knows of a peer that is up. */
interface PeerState {
  /** The mail's user was told. */
  isTold: boolean;
  least: number;
  latest: number | null;
  /** The last probe, and when it left, local milliseconds. */
  probe: number;
  probedAtMs: number;
  isAwaited: boolean;
}

/** Both faces of one link. */
export class PeerHub {
  /** For consensus, which starts and stops the connections. Not before {@link over} was called. */
  readonly link: PeerLink;
  /** For the tracks. Nobody is up before {@link over} was called. */
  readonly mail: PeerMail;
  #under: PeerLink | null = null;
  readonly #time: Time;
  readonly #peers = new Map<NodeId, PeerState>();
  #probes = 0;
  #replica: PeerLinkHandlers | null = null;
  #mail: PeerMailHandlers | null = null;
  #isMailOver = false;
  #greeting: Timer | null = null;

  constructor(components: { readonly time: Time }) {
    this.#time = components.time;
    const under = () => {
      assert(this.#under !== null, 'the hub stands over a link');
      return this.#under;
    };
    this.link = {
      start: (handlers) => this.#start(under(), handlers),
      setPeers: (peers) => under().setPeers(peers),
      send: (to, channel, bytes) => under().send(to, channel, bytes),
      queuedBytes: (to, channel) => under().queuedBytes(to, channel),
      stop: () => under().stop(),
    };
    this.mail = {
      start: (handlers) => this.#startMail(handlers),
      send: (to, channel, bytes) => this.#sendMail(to, channel, bytes),
      queuedBytes: (to, channel) => this.#under?.queuedBytes(to, channel) ?? 0,
      roundTripMs: (peer) => this.#roundTrip(peer),
      stop: () => this.#stopMail(),
    };
  }

  /** From now on `link`'s connections are what both use: gives the face for consensus. To be called once. */
  over(link: PeerLink): PeerLink {
    assert(this.#under === null, 'a hub stands over one link');
    this.#under = link;
    return this.link;
  }

  #start(link: PeerLink, handlers: PeerLinkHandlers): Promise<void> {
    this.#replica = handlers;
    return link.start({
      message: (from, channel, bytes) => this.#message(from, channel, bytes),
      up: (peer, hello) => this.#up(peer, hello),
      down: (peer) => this.#down(peer),
      refused: (peer, reason, detail) => handlers.refused(peer, reason, detail),
      moved: (peer, address) => handlers.moved(peer, address),
      knock: (request) => handlers.knock(request),
    });
  }

  #up(peer: NodeId, hello: PeerHello): void {
    const fresh = { least: Number.POSITIVE_INFINITY, latest: null, probe: 0, probedAtMs: 0 };
    this.#peers.set(peer, { ...fresh, isTold: false, isAwaited: false });
    this.#replica?.up(peer, hello);
    this.#tellUp(peer);
  }

  #down(peer: NodeId): void {
    const wasTold = this.#peers.get(peer)?.isTold === true;
    this.#peers.delete(peer);
    this.#replica?.down(peer);
    if (wasTold) this.#mail?.down(peer);
  }

  #message(from: NodeId, channel: Channel, bytes: Uint8Array): void {
    const first = bytes[0] ?? 0;
    if (first < MAIL_FIRST_BYTE.least) {
      this.#replica?.message(from, channel, bytes);
    } else if (first <= MAIL_FIRST_BYTE.most) {
      this.#tellUp(from);
      this.#mail?.message(from, channel, bytes);
    } else if (first === OWN.probe && bytes.length <= PROBE_BYTES_MAX) {
      const answer = bytes.slice();
      answer[0] = OWN.answer;
      this.#under?.send(from, 'control', answer);
    } else if (first === OWN.answer) {
      this.#answered(from, bytes);
    }
  }

  // Mail.

  #startMail(handlers: PeerMailHandlers): void {
    assert(this.#mail === null && !this.#isMailOver, 'the mail is started once');
    this.#mail = handlers;
    this.#greeting = this.#time.after('mail: peers that are up', 0, () => {
      for (const peer of [...this.#peers.keys()]) this.#tellUp(peer);
    });
  }

  #stopMail(): void {
    this.#isMailOver = true;
    this.#mail = null;
    this.#greeting?.cancel();
  }

  /** Once for each peer that came up, before anything else of it. */
  #tellUp(peer: NodeId): void {
    const state = this.#peers.get(peer);
    if (this.#mail === null || state === undefined || state.isTold) return;
    state.isTold = true;
    this.#mail.up(peer);
  }

  #sendMail(to: NodeId, channel: Channel, bytes: Uint8Array): boolean {
    const first = bytes[0] ?? 0;
    assert(first >= MAIL_FIRST_BYTE.least && first <= MAIL_FIRST_BYTE.most, 'the first byte says that it is mail');
    return !this.#isMailOver && (this.#under?.send(to, channel, bytes) ?? false);
  }

  // Round trips.

  #nowMs(): number {
    return Number(this.#time.now()) / 1e6;
  }

  #roundTrip(peer: NodeId): RoundTrip | null {
    const state = this.#peers.get(peer);
    if (state === undefined) return null;
    const sinceMs = this.#nowMs() - state.probedAtMs;
    // What has not come back yet took at least as long.
    if (state.isAwaited && state.latest !== null) state.latest = Math.max(state.latest, sinceMs);
    if (state.probe === 0 || sinceMs >= (state.isAwaited ? PROBE_MS_MAX : PROBE_MS)) this.#probe(peer, state);
    const { least, latest } = state;
    return latest === null ? null : { least, latest };
  }

  #probe(peer: NodeId, state: PeerState): void {
    state.probe = ++this.#probes;
    state.probedAtMs = this.#nowMs();
    writer.u8(OWN.probe);
    writer.varint(state.probe);
    state.isAwaited = this.#under?.send(peer, 'control', writer.take()) ?? false;
  }

  #answered(peer: NodeId, bytes: Uint8Array): void {
    const state = this.#peers.get(peer);
    if (state === undefined || !state.isAwaited || probeOf(bytes) !== state.probe) return;
    state.isAwaited = false;
    state.latest = this.#nowMs() - state.probedAtMs;
    state.least = Math.min(state.least, state.latest);
  }
}

/** Which probe an answer is for; null where it is none. */
function probeOf(bytes: Uint8Array): number | null {
  const from = new ByteReader(bytes);
  from.u8();
  try {
    return from.varint();
  } catch (error) {
    if (error instanceof TuttiError) return null;
    throw error;
  }
}
