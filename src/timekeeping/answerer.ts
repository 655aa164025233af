/**
 * Answerer: says to other nodes when their probes came.
 *
 * Each probe is answered once. What was recorded and is sent again finds its number taken, in the window of the boot that made it; windows of
 * boots that are over are kept a while, so that an old recording cannot put itself in the place of the living.
 */
import type { Answer, Probe } from '../clock/datagram.js';
import { ReplayWindow } from '../clock/replay-window.js';
import type { BootId, NodeId } from '../core/ids.js';
import type { LocalTime } from '../core/units.js';

/** Boots of peers that are remembered: all of a large house, several times over. Only who has the key gets in here. */
const BOOTS_MAX = 256;

/** What is kept of one boot of one peer. */
interface Asker {
  readonly window: ReplayWindow;
  previous: Answer['previous'];
}

/** Answers for one node. */
export class Answerer {
  readonly #node: NodeId;
  readonly #boot: BootId;
  /** By node and boot, the one that asked last at the end. */
  readonly #askers = new Map<string, Asker>();

  constructor(init: { readonly node: NodeId; readonly boot: BootId }) {
    this.#node = init.node;
    this.#boot = init.boot;
  }

  /**
   * The answer to a probe that came at `receivedAt`; null where it is not for this node, or came before.
   * @param reverseAt what the asker's clock read then, as this node measured it
   */
  answer(probe: Probe, receivedAt: LocalTime, reverseAt: LocalTime | null): Answer | null {
    if (probe.to !== this.#node || probe.from === this.#node) return null;
    const asker = this.#asker(probe);
    if (!asker.window.isFresh(probe.sequence)) return null;
    const { nonce, from } = probe;
    return {
      type: 'answer',
      from: this.#node,
      to: from,
      boot: this.#boot,
      nonce,
      receivedAt,
      previous: asker.previous,
      reverseAt,
    };
  }

  /** The answer to `probe` left at `sentAt`: the next one says so. */
  answered(probe: Probe, sentAt: LocalTime): void {
    this.#asker(probe).previous = { nonce: probe.nonce, sentAt };
  }

  #asker({ from, boot }: Probe): Asker {
    const key = `${from} ${boot}`;
    const asker = this.#askers.get(key) ?? { window: new ReplayWindow(), previous: null };
    this.#askers.delete(key);
    this.#askers.set(key, asker);
    const [oldest] = this.#askers.keys();
    if (this.#askers.size > BOOTS_MAX) this.#askers.delete(oldest!);
    return asker;
  }
}
