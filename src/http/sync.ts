/** How well the nodes keep in step, as the JSON of the contract. */
import type { Node } from '../node/node.js';
import type * as Json from './schema.js';

/** Between two figures. Milliseconds. */
const STEP_MS = 1_000;
/** Figures come once a second, and are not worked out more often than twice. Nanoseconds. */
const FRESH_NS = 500_000_000n;

/** What was told of each node last: whoever asks soon after gets it again, however many pages look. */
const told = new WeakMap<Node, { readonly atNs: bigint; readonly sync: Json.Sync }>();

/** `GET /sync`. */
export function syncOf(node: Node): Json.Sync {
  const now = node.now();
  const last = told.get(node);
  if (last !== undefined && now >= last.atNs && now - last.atNs < FRESH_NS) return last.sync;
  const sync = newSyncOf(node, now);
  told.set(node, { atNs: now, sync });
  return sync;
}

function newSyncOf(node: Node, now: bigint): Json.Sync {
  const history = node.syncHistory;
  const own = node.init.id;
  const output = node.outputStatus();
  const { pairs, spread } = history.distances(now);
  return {
    atNs: now.toString(),
    nodes: node.members().map(({ id, name, online }) => {
      const report = id === own ? { clock: node.clockStatus(), output } : node.reportOf(id);
      return {
        id,
        name,
        online,
        t0Ns: history.firstNs(now).toString(),
        stepMs: STEP_MS,
        ...history.of(id, now),
        offsetUs: report?.clock.offsetUs ?? null,
        errorUs: report?.clock.errorUs ?? null,
        driftPpm: report?.clock.driftPpm ?? null,
        ppm: report?.output.ppm ?? null,
        underruns: report?.output.underruns ?? null,
        snaps: report?.output.snaps ?? null,
        late: report?.output.late ?? null,
      };
    }),
    pairs: pairs.map(({ nodes, ...pair }) => ({ nodes: [...nodes], ...pair })),
    spread,
  };
}
