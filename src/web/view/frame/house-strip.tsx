/**
 * The house as a score: each room is a line of the staff with a note head on it. Heads that sound stand under each other, and a stem joins
 * them to one chord, while the rooms are in step; one that is early or late stands aside.
 */
import { apartUs, headOffset, IN_STEP_US_MAX, type Room } from '../../model/rooms.js';
import type { Words } from '../../text/en.js';
import { useApp, useWords } from '../context.js';
import { NoteHead } from '../parts/note-head.js';

/** The strip at the head of every region; it leads to the house. */
export function HouseStrip() {
  const app = useApp();
  const words = useWords();
  const rooms = app.rooms.value;
  const apart = apartUs(rooms);
  const sounding = rooms.filter(({ kind }) => kind === 'playing').length;
  const isInStep = sounding > 1 && apart !== null && apart <= IN_STEP_US_MAX;
  const caption = captionOf(words, { sounding, apart, isPaused: app.ticker.song.value.status === 'paused' });
  return (
    <a class={app.store.isStale.value ? 'strip stale' : 'strip'} href="#/house">
      <span class={isInStep ? 'staff in-step' : 'staff'}>
        {rooms.map((room) => (
          <RoomLine key={room.id} room={room} />
        ))}
      </span>
      <span class="strip-caption">{caption}</span>
    </a>
  );
}

/** The staff before anything is known, as high as it will be: nothing is to jump when the rooms come. */
export function EmptyStrip() {
  const app = useApp();
  const rooms = Array.from({ length: app.peers.roomsBefore }, (_, at) => at);
  return (
    <div class="strip" aria-hidden="true">
      <span class="staff">
        {rooms.map((at) => (
          <span key={at} class="room-line">
            <span class="room-name" />
            <span class="line" />
          </span>
        ))}
      </span>
      <span class="strip-caption">{'\u00a0'}</span>
    </div>
  );
}

function RoomLine({ room }: { readonly room: Room }) {
  const words = useWords();
  const { name, kind, reason, leads, errorUs } = room;
  const why = reason === null ? '' : words.refusal(reason).what;
  return (
    <span class={`room-line room-${kind}`}>
      <span class="room-name">
        <bdi>{name}</bdi>
        {leads && <em>{words.leads}</em>}
      </span>
      <span class="line">
        <NoteHead kind={kind} aside={headOffset(errorUs)} />
        <span class={kind === 'silent' || kind === 'away' ? 'room-kind' : 'out-of-sight'}>
          {kind === 'silent' && why !== '' ? why : words.kinds[kind]}
        </span>
      </span>
    </span>
  );
}

interface Sound {
  readonly sounding: number;
  readonly apart: number | null;
  readonly isPaused: boolean;
}

function captionOf(words: Words, { sounding, apart, isPaused }: Sound): string {
  if (sounding === 0) return isPaused ? words.allPaused : words.nobodyPlays;
  if (sounding === 1) return words.oneRoom;
  return apart !== null && apart > IN_STEP_US_MAX ? words.apart(apart) : words.inStep(apart);
}
