/** Where the song is, to be read and to be set: the outline, and a slider over it that is felt more than seen. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { newest } from '../../model/overlay.js';
import { useApp, useWords } from '../context.js';
import { Waveform } from './waveform.js';

/** By key: a step, and a page. Milliseconds. */
const STEP_MS = 5_000;
const PAGE_MS = 30_000;
/** Arrow keys that are held come in bursts: only where they end counts. Milliseconds. */
const KEYS_MS = 250;

/** The position within the song that plays. */
export function SeekBar() {
  const app = useApp();
  const words = useWords();
  const moment = app.ticker.moment.value;
  const { trackId } = app.ticker.song.value;
  // The outline is drawn anew for another song, not for another second.
  const waveform = useMemo(() => <Waveform trackId={trackId} />, [trackId]);
  // Where the thumb is held; the song moves on underneath.
  const [held, setHeld] = useState<number | null>(null);
  const keys = useRef<() => void>(() => {});
  const sought = newest(app.store.pending.value, 'seek', ({ itemId }) => itemId === moment?.itemId);
  const durationMs = moment?.durationMs ?? 0;
  const shownMs = held ?? sought?.positionMs ?? moment?.positionMs ?? 0;
  const isOff = app.whyNot.value !== null || durationMs === 0;
  const finish = (positionMs: number) => {
    setHeld(null);
    if (isOff) app.explain();
    else app.actions.seek(positionMs);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: shownMs - STEP_MS,
      ArrowDown: shownMs - STEP_MS,
      ArrowRight: shownMs + STEP_MS,
      ArrowUp: shownMs + STEP_MS,
      PageDown: shownMs - PAGE_MS,
      PageUp: shownMs + PAGE_MS,
      Home: 0,
      End: durationMs - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const positionMs = Math.max(0, Math.min(target, durationMs - 1));
    setHeld(positionMs);
    keys.current();
    keys.current = app.later(KEYS_MS, () => finish(positionMs));
  };
  return (
    <div class={durationMs === 0 ? 'seek seek-none' : 'seek'}>
      <div class="seek-field">
        {waveform}
        {(held !== null || sought !== undefined) && durationMs > 0 && (
          <div class="seek-target" style={{ insetInlineStart: `${(100 * shownMs) / durationMs}%` }} />
        )}
        <input
          type="range"
          class="seek-range"
          min={0}
          max={Math.max(1, durationMs)}
          step={1}
          value={shownMs}
          aria-label={words.position}
          aria-valuetext={words.positionText(shownMs, durationMs)}
          aria-disabled={isOff}
          onInput={(event) => setHeld(Number(event.currentTarget.value))}
          onChange={(event) => finish(Number(event.currentTarget.value))}
          onKeyDown={onKeyDown}
        />
      </div>
      <div class="seek-times">
        <span>{words.f.clock(shownMs)}</span>
        <span>{words.f.clock(durationMs)}</span>
      </div>
    </div>
  );
}
