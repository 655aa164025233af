/**
 * Reports: this node tells the others once a second how it sounds and how well it knows the time, and keeps what they tell.
 *
 * All nodes look at the middle of each second of cluster time, so that what they say can be compared. Only that a node needs more time to obey
 * than it said is told at once: until it is known, commands come too soon for it.
 */
import type { NodeId } from '../core/ids.js';
import { NS_PER_MS, NS_PER_S } from '../core/units.js';
import type { Time, Timer } from '../ports/time.js';
import type { Agreement } from './agreement.js';
import { decodeReport, encodeReport, type Report } from './report.js';
import { SyncHistory } from './sync-history.js';

/** A report is of now for so long: two may be lost. Nanoseconds. */
const FRESH_NS = 3_500n * NS_PER_MS;

/** Nearer than this the middle of the second is that of the last report. Milliseconds. */
const LEFT_MS_MIN = 100;

/** So much more than was told is told at once. Milliseconds: less is within what a lead has to spare. */
const NEED_ROSE_MS = 30;

/** What reports are made and kept with. */
export interface ReportsComponents {
  readonly time: Time;
  readonly agreement: Pick<Agreement, 'now' | 'tell' | 'status'>;
  /** This node as of now. */
  readonly look: () => Omit<Report, 'atNs'>;
  /** There is something new to see. */
  readonly changed: () => void;
}

/** From `start` to `stop` (idempotent) there is a timer. */
export class Reports {
  readonly history = new SyncHistory();
  readonly #components: ReportsComponents;
  readonly #self: NodeId;
  readonly #latest = new Map<NodeId, { readonly report: Report; readonly heardNs: bigint }>();
  #timer: Timer | null = null;
  #toldNeedMs = 0;

  constructor(components: ReportsComponents, init: { readonly self: NodeId }) {
    this.#components = components;
    this.#self = init.self;
  }

  start(): void {
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** What a node said of itself lately; null where it said nothing. */
  of(node: NodeId): Report | null {
    const latest = this.#latest.get(node);
    if (latest === undefined || this.#components.time.now() - latest.heardNs > FRESH_NS) return null;
    return latest.report;
  }

  /** What the others need for a change of sound, milliseconds: the most that any of them said lately; 0 where nobody did. */
  get othersNeedMs(): number {
    let most = 0;
    for (const node of this.#latest.keys()) {
      if (node !== this.#self) most = Math.max(most, this.of(node)?.needMs ?? 0);
    }
    return most;
  }

  /** This node needs so much for a change of sound by now, milliseconds. */
  needs(needMs: number): void {
    if (this.#timer !== null && needMs >= this.#toldNeedMs + NEED_ROSE_MS) this.#tell();
  }

  /** A peer told something. */
  heard(from: NodeId, bytes: Uint8Array): void {
    const report = decodeReport(bytes);
    const { agreement } = this.#components;
    // Of another epoch, or of a node whose time is its own: it cannot be compared with anything.
    if (report === null || distance(report.atNs, agreement.now()) > FRESH_NS) return;
    const before = this.of(from)?.output;
    this.#keep(from, report);
    const { state, reason } = report.output;
    if (before?.state !== state || before.reason !== reason) this.#components.changed();
  }

  #wait(): void {
    const { time, agreement } = this.#components;
    const intoNs = (agreement.now() + NS_PER_S / 2n) % NS_PER_S;
    const leftMs = Number(NS_PER_S - intoNs) / 1e6;
    // Cluster time may stand still, or run a little slower than the timer.
    this.#timer = time.after('node.report', leftMs < LEFT_MS_MIN ? leftMs + 1_000 : leftMs, () => {
      this.#wait();
      this.#tell();
    });
  }

  #tell(): void {
    const { agreement, look } = this.#components;
    const report = { atNs: agreement.now(), ...look() };
    this.#toldNeedMs = report.needMs;
    this.#keep(this.#self, report);
    const { members } = agreement.status();
    const known = members.map(({ node }) => node);
    this.history.keep(known);
    for (const node of [...this.#latest.keys()]) if (!known.includes(node)) this.#latest.delete(node);
    agreement.tell(encodeReport(report));
  }

  #keep(node: NodeId, report: Report): void {
    this.#latest.set(node, { report, heardNs: this.#components.time.now() });
    this.history.note(node, report);
  }
}

const distance = (a: bigint, b: bigint): bigint => (a > b ? a - b : b - a);
