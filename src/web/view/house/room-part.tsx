/** A room, as a part of the score: how it sounds, how well it knows the time, what is on its card and what is not. */
import type { NodeView } from '../../../http/schema.js';
import { clockWord } from '../../model/house-words.js';
import { msBetween } from '../../model/instants.js';
import { isPageUrl, roomsOf } from '../../model/rooms.js';
import type { Words } from '../../text/en.js';
import { useApp, useWords } from '../context.js';
import { Volume } from '../now/volume.js';
import { NoteHead } from '../parts/note-head.js';
import { RoomOutput } from './room-output.js';

/** One room. */
export function RoomPart({ node }: { readonly node: NodeView }) {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value!;
  const room = roomsOf(state).find(({ id }) => id === node.id)!;
  const { id, name, httpUrl, output } = node;
  return (
    <li class={`part part-${room.kind}`}>
      <div class="part-head">
        <NoteHead kind={room.kind} />
        <h3>
          <bdi>{name}</bdi>
        </h3>
        <p class="part-kind">
          {[words.kinds[room.kind], room.leads ? words.leads : '', room.isHere ? words.here : '']
            .filter((text) => text !== '')
            .join(', ')}
        </p>
      </div>
      {room.reason !== null && (
        <p class="bad">
          {words.refusal(room.reason).what} {words.refusal(room.reason).todo}
        </p>
      )}
      <dl class="facts">
        <Facts node={node} />
      </dl>
      {node.online && output.driver !== 'none' && (
        <>
          <Volume node={id} label={words.volumeOf(name)} volume={output.volume} muted={output.muted} />
          {(output.volumeLimit ?? 100) < 100 && <p class="quiet">{words.upTo(output.volumeLimit ?? 100)}</p>}
        </>
      )}
      {node.online && <RoomOutput node={node} />}
      {!room.isHere && isPageUrl(httpUrl) && (
        <a href={`${httpUrl}/`} rel="noreferrer">
          {words.openPage(name)}
        </a>
      )}
    </li>
  );
}

/** Pairs of a word and what is known of it. */
function Facts({ node }: { readonly node: NodeView }) {
  const app = useApp();
  const words = useWords();
  const { byId } = app.store.tracks.value;
  const { cluster } = app.store.state.value!;
  const { disk, online, role } = node;
  const missing = disk?.tracksMissing ?? { count: 0, first: [] };
  const total = (disk?.tracksHeld ?? 0) + missing.count;
  const titles = missing.first.slice(0, 5).map((id) => byId.get(id)?.title ?? id.slice(0, 8));
  return (
    <>
      {online ? (
        <Fact label={words.lock} text={clockText(words, node)} />
      ) : (
        <Fact
          label={words.lock}
          text={words.lastHeard(Math.round(msBetween(node.lastHeardNs, cluster.timeNs) / 1_000))}
        />
      )}
      {disk !== null && (
        <Fact
          label={words.disk}
          text={disk.refusing ? words.diskFull : words.free(disk.freeBytes, disk.totalBytes)}
          isBad={disk.refusing}
        />
      )}
      {disk !== null &&
        (missing.count === 0 ? (
          <Fact label={words.regions.library} text={words.tracksAll(disk.tracksHeld)} />
        ) : (
          <>
            <Fact label={words.regions.library} text={words.filling(disk.tracksHeld, total)} />
            <Fact label={words.missingLabel} text={words.missing(titles, missing.count - titles.length)} />
          </>
        ))}
      {role === 'learner' && <Fact label={words.vote} text={words.learner} />}
    </>
  );
}

function Fact({
  label,
  text,
  isBad = false,
}: {
  readonly label: string;
  readonly text: string;
  readonly isBad?: boolean;
}) {
  return (
    <div>
      <dt>{label}</dt>
      <dd class={isBad ? 'bad' : ''}>{text}</dd>
    </div>
  );
}

function clockText(words: Words, node: NodeView): string {
  switch (clockWord(node)) {
    case 'leads':
      return words.isTheClock;
    case 'locked':
      return words.locked(node.clock?.errorUs ?? null);
    case 'holdover':
      return words.holdover;
    case 'unlocked':
      return words.unlocked;
    case 'unknown':
      return words.noFigure;
  }
}
