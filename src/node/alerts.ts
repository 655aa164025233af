/** What needs attention on this node and lasts: each alert has a code of the error catalogue, and is gone when its cause is. */
import type { ErrorCode } from '../core/errors.js';
import type { NodeId, TrackId } from '../core/ids.js';
import type { ClusterTime } from '../core/units.js';

/** Something that needs attention. */
export interface Alert {
  readonly code: ErrorCode;
  readonly severity: 'info' | 'warn' | 'error';
  /** When it began. */
  readonly since: ClusterTime;
  /** The node that it is about; null where that is this one. */
  readonly node: NodeId | null;
  /** The track that it is about; null where it is about none, or several. */
  readonly track: TrackId | null;
}

/** What an alert may say beside its code. */
interface Particulars {
  readonly severity?: Alert['severity'];
  readonly node?: NodeId | null;
  readonly track?: TrackId | null;
}

/** The alerts that one node shows. Two causes may raise the same code; it is shown once, for as long as one of them lasts. */
export class Alerts {
  readonly #now: () => ClusterTime;
  readonly #byCause = new Map<string, Alert>();

  constructor(components: { readonly now: () => ClusterTime }) {
    this.#now = components.now;
  }

  /** Each code once for each node, in the order in which they began. */
  list(): readonly Alert[] {
    const shown = new Map<string, Alert>();
    for (const alert of this.#byCause.values()) {
      const what = `${alert.code} ${alert.node}`;
      const before = shown.get(what);
      shown.set(what, before === undefined ? alert : { ...before, track: before.track ?? alert.track });
    }
    return [...shown.values()];
  }

  /** What `cause` has to say from now on: nothing where `code` is null. True where that is news. */
  set(
    cause: string,
    code: ErrorCode | null,
    { severity = 'warn', node = null, track = null }: Particulars = {},
  ): boolean {
    const known = this.#byCause.get(cause);
    if (code === null) return this.#byCause.delete(cause);
    if (known?.code === code && known.track === track) return false;
    const since = known?.code === code ? known.since : this.#now();
    this.#byCause.delete(cause);
    this.#byCause.set(cause, { code, severity, since, node, track });
    return true;
  }

  /** `code` holds of exactly these nodes from now on. True where that is news. */
  setOf(nodes: readonly NodeId[], code: ErrorCode, severity: Alert['severity'] = 'warn'): boolean {
    const causes = new Map(nodes.map((node) => [`${code} of ${node}`, node]));
    const over = [...this.#byCause.keys()].filter((cause) => cause.startsWith(`${code} of `) && !causes.has(cause));
    for (const cause of over) this.#byCause.delete(cause);
    const news = [...causes].map(([cause, node]) => this.set(cause, code, { severity, node }));
    return over.length > 0 || news.includes(true);
  }
}
