/** What plays: the song above all else, where it is, and the buttons within reach of a thumb. */
import type { StateEvent } from '../../../http/schema.js';
import { newest } from '../../model/overlay.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { RegionFrame } from '../parts/region.js';
import { SeekBar } from './seek-bar.js';
import { PlayButton, PreviousButton, SkipButton } from './transport-buttons.js';
import { Volume } from './volume.js';

/** The region of what plays now. */
export function NowRegion() {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value!;
  const { volume, muted } = state;
  return (
    <RegionFrame region="now" isHeadingHidden>
      <Song />
      <SeekBar />
      <div class="transport">
        <RepeatButton />
        <PreviousButton size={28} />
        <PlayButton size={36} className="round primary" />
        <SkipButton size={28} />
        <ShuffleButton />
      </div>
      <Volume node={null} label={words.volume} volume={volume} muted={muted} />
      <p class="quiet here">{useHere(state)}</p>
    </RegionFrame>
  );
}

function Song() {
  const app = useApp();
  const { trackId, title } = app.ticker.song.value;
  const track = trackId === null ? undefined : app.store.tracks.value.byId.get(trackId);
  if (trackId === null || title === null) return <Silence />;
  const beside = [track?.artist, track?.album].filter((text) => typeof text === 'string' && text !== '').join(' · ');
  return (
    <div class="song">
      <p class="song-title">
        <bdi dir="auto">{app.titleOf(trackId, title)}</bdi>
      </p>
      <p class="song-beside">{beside === '' ? '\u00a0' : <bdi dir="auto">{beside}</bdi>}</p>
    </div>
  );
}

/** Nothing plays: why, and what to do about it. */
function Silence() {
  const app = useApp();
  const words = useWords();
  const { node, queueLength } = app.store.state.value!;
  const { rev, byId } = app.store.tracks.value;
  const isEmptyHouse = rev >= 0 && byId.size === 0;
  return (
    <div class="song">
      <p class="song-title song-none">{isEmptyHouse ? words.emptyHouse : words.nothing}</p>
      <p class="song-beside">
        {isEmptyHouse ? words.emptyHouseHow(node.name) : queueLength === 0 && rev >= 0 && words.emptyQueue(byId.size)}
        {!isEmptyHouse && queueLength === 0 && <a href="#/library">{words.toLibrary}</a>}
      </p>
    </div>
  );
}

/** Whether it sounds where this page comes from, and who had the last word. */
function useHere(state: StateEvent): string {
  const app = useApp();
  const words = useWords();
  const { transport, node } = state;
  const self = app.store.self.value;
  const parts: string[] = [];
  if (self?.output.state === 'playing') parts.push(words.soundingHere(node.name));
  if (self?.output.state === 'silent') {
    const { what } = words.refusal(self.output.reason ?? 'NO_CLOCK');
    parts.push(words.silentHere(node.name, what));
  }
  if (self?.output.driver === 'none') parts.push(words.noOutputHere(node.name));
  const { changedBy, status } = transport;
  if (changedBy !== null && status !== 'stopped') {
    const name = state.nodes.find(({ id }) => id === changedBy.node)?.name ?? '';
    const who = words.by(name, changedBy.via);
    parts.push(status === 'playing' ? words.playedBy(who) : words.pausedBy(who));
  }
  return parts.join(' · ');
}

const REPEATS = { off: 'all', all: 'one', one: 'off' } as const;

function RepeatButton() {
  const app = useApp();
  const words = useWords();
  const repeat = newest(app.store.pending.value, 'repeat')?.repeat ?? app.store.state.value!.repeat;
  const isOff = app.whyNot.value !== null;
  return (
    <button
      type="button"
      class={`round small${repeat === 'off' ? '' : ' on'}`}
      aria-label={words.repeats[repeat]}
      aria-disabled={isOff}
      onClick={() => (isOff ? app.explain() : app.actions.repeat(REPEATS[repeat]))}
    >
      <Icon name="repeat" />
      {repeat === 'one' && <span class="badge">1</span>}
    </button>
  );
}

function ShuffleButton() {
  const app = useApp();
  const words = useWords();
  const isOff = app.whyNot.value !== null;
  return (
    <button
      type="button"
      class="round small"
      aria-label={words.buttons.shuffle}
      aria-disabled={isOff}
      onClick={() => (isOff ? app.explain() : app.press('shuffle'))}
    >
      <Icon name="shuffle" />
    </button>
  );
}
