/** What needs attention on this node and lasts: each alert has a code of the error catalogue, and is gone when its cause is. */
import type { ErrorCode } from '../core/errors.js';
import type { ClusterTime } from '../core/units.js';

/** Something that needs attention. */
export interface Alert {
  readonly code: ErrorCode;
  readonly severity: 'info' | 'warn' | 'error';
  /** When it began. */
  readonly since: ClusterTime;
}

/** The alerts of one node. Two causes may raise the same code; it is shown once, for as long as one of them lasts. */
export class Alerts {
  readonly #now: () => ClusterTime;
  readonly #byCause = new Map<string, Alert>();

  constructor(components: { readonly now: () => ClusterTime }) {
    this.#now = components.now;
  }

  /** Each code once, in the order in which they began. */
  list(): readonly Alert[] {
    const byCode = new Map<ErrorCode, Alert>();
    for (const alert of this.#byCause.values()) if (!byCode.has(alert.code)) byCode.set(alert.code, alert);
    return [...byCode.values()];
  }

  /** What `cause` has to say from now on: nothing where `code` is null. True where that is news. */
  set(cause: string, code: ErrorCode | null, severity: Alert['severity'] = 'warn'): boolean {
    const known = this.#byCause.get(cause);
    if (known?.code === (code ?? undefined)) return false;
    this.#byCause.delete(cause);
    if (code !== null) this.#byCause.set(cause, { code, severity, since: this.#now() });
    return true;
  }
}
