/** The same figures, to be read: of each room, and of each two. */
import type { Sync } from '../../../http/schema.js';
import type { Words } from '../../text/en.js';
import { useWords } from '../context.js';

const spanOf = (words: Words, us: number | null | undefined): string =>
  typeof us === 'number' ? words.f.span(us) : words.noFigure;
const countOf = (words: Words, count: number | null): string =>
  count === null ? words.noFigure : words.f.count(count);
const ppmOf = (words: Words, ppm: number | null): string => (ppm === null ? words.noFigure : words.ppm(ppm));

/** The newest figure that is there. */
const lastOf = (figures: readonly (number | null)[]): number | null =>
  figures.slice(-4).findLast((figure) => figure !== null) ?? null;

/** A column for each room, since there are fewer of them than figures. */
export function RoomTable({ sync }: { readonly sync: Sync }) {
  const words = useWords();
  const { figures } = words;
  const rows: readonly (readonly [title: string, of: (node: Sync['nodes'][number]) => string])[] = [
    [figures.now, ({ playoutErrorUs }) => spanOf(words, lastOf(playoutErrorUs))],
    [figures.bound, ({ boundUs }) => spanOf(words, lastOf(boundUs))],
    [figures.offset, ({ offsetUs }) => spanOf(words, offsetUs)],
    [figures.drift, ({ driftPpm }) => ppmOf(words, driftPpm)],
    [figures.ppm, ({ ppm }) => ppmOf(words, ppm)],
    [figures.underruns, ({ underruns }) => countOf(words, underruns)],
    [figures.snaps, ({ snaps }) => countOf(words, snaps)],
    [figures.late, ({ late }) => countOf(words, late)],
  ];
  return (
    <div>
      <table>
        <caption>{words.table}</caption>
        <thead>
          <tr>
            <td />
            {sync.nodes.map(({ id, name }) => (
              <th key={id} scope="col">
                <bdi>{name}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([title, of]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              {sync.nodes.map((node) => (
                <td key={node.id}>{of(node)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A row for each two rooms that sounded together. */
export function PairTable({ sync }: { readonly sync: Sync }) {
  const words = useWords();
  if (sync.pairs.length === 0) return null;
  const nameOf = (id: string) => sync.nodes.find((node) => node.id === id)?.name ?? id.slice(0, 8);
  return (
    <div>
      <table>
        <caption>{words.pairs}</caption>
        <thead>
          <tr>
            {[words.pair, words.together, 'p50', 'p95', 'p99', 'max'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sync.pairs.map(({ nodes, seconds, p50Us, p95Us, p99Us, maxUs }) => (
            <tr key={nodes.join()}>
              <th scope="row">{words.f.list(nodes.map(nameOf))}</th>
              <td>{words.secondsOf(seconds)}</td>
              <td>{spanOf(words, p50Us)}</td>
              <td>{spanOf(words, p95Us)}</td>
              <td>{spanOf(words, p99Us)}</td>
              <td>{spanOf(words, maxUs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
