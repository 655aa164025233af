/** How well the nodes keep in step, as the JSON of the contract. */
import type { Node } from '../node/node.js';
import type * as Json from './schema.js';

/** Between two figures. Milliseconds. */
const STEP_MS = 1_000;

/** `GET /sync`. */
export function syncOf(node: Node): Json.Sync {
  const now = node.now();
  const history = node.syncHistory;
  const own = node.init.id;
  const output = node.outputStatus();
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
    pairs: history.pairs(now).map(({ nodes, ...pair }) => ({ nodes: [...nodes], ...pair })),
    spread: history.spread(now),
  };
}
