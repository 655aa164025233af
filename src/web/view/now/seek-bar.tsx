/** Where the song is, to be read and to be set: the outline, and a slider over it that is felt more than seen. */
import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { newest } from '../../model/overlay.js';
import { useApp, useWords } from '../context.js';
import { Waveform } from './waveform.js';

/** By key: a step, and a page. Milliseconds. */
const STEP_MS = 5_000;
const PAGE_MS = 30_000;
/** Arrow keys that are held come in bursts: only where they end counts. Milliseconds. */
const KEYS_MS = 250;

/** The position within the song that plays. As it goes on, texts and the slider follow by themselves: nothing is drawn anew each second. */
export function SeekBar() {
  const app = useApp();
  const words = useWords();
  const { trackId, durationMs } = app.ticker.song.value;
  // The outline is drawn anew for another song, not for another second.
  const waveform = useMemo(() => <Waveform trackId={trackId} />, [trackId]);
  // Where the thumb is held; the song moves on underneath.
  const held = useSignal<number | null>(null);
  const keys = useRef<() => void>(() => {});
  const targetMs = useComputed(() => {
    const { itemId: current } = app.ticker.song.value;
    return (
      held.value ?? newest(app.store.pending.value, 'seek', ({ itemId }) => itemId === current)?.positionMs ?? null
    );
  });
  const shownMs = useComputed(() => targetMs.value ?? app.ticker.moment.value?.positionMs ?? 0);
  const isSeeking = useComputed(() => targetMs.value !== null);
  const clock = useComputed(() => app.words.value.f.clock(shownMs.value));
  const spoken = useComputed(() => app.words.value.positionText(shownMs.value, app.ticker.song.value.durationMs));
  const slider = useRef<HTMLInputElement>(null);
  useSignalEffect(() => {
    const { durationMs } = app.ticker.song.value;
    const { current } = slider;
    if (current === null) return;
    // In this order: a value is cut off at the end of its range.
    current.max = String(Math.max(1, durationMs));
    current.value = String(shownMs.value);
    current.setAttribute('aria-valuetext', spoken.value);
  });
  const isOff = app.whyNot.value !== null || durationMs === 0;
  const finish = (positionMs: number) => {
    held.value = null;
    if (isOff) app.explain();
    else app.actions.seek(positionMs);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const nowMs = shownMs.peek();
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: nowMs - STEP_MS,
      ArrowDown: nowMs - STEP_MS,
      ArrowRight: nowMs + STEP_MS,
      ArrowUp: nowMs + STEP_MS,
      PageDown: nowMs - PAGE_MS,
      PageUp: nowMs + PAGE_MS,
      Home: 0,
      End: durationMs - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const positionMs = Math.max(0, Math.min(target, durationMs - 1));
    held.value = positionMs;
    keys.current();
    keys.current = app.later(KEYS_MS, () => finish(positionMs));
  };
  return (
    <div class={durationMs === 0 ? 'seek seek-none' : 'seek'}>
      <div class="seek-field">
        {waveform}
        {isSeeking.value && durationMs > 0 && <SeekTarget shownMs={shownMs} durationMs={durationMs} />}
        <input
          ref={slider}
          type="range"
          class="seek-range"
          min={0}
          max={Math.max(1, durationMs)}
          step={1}
          value={shownMs.peek()}
          aria-label={words.position}
          aria-valuetext={spoken.peek()}
          aria-disabled={isOff}
          onInput={(event) => {
            held.value = Number(event.currentTarget.value);
          }}
          onChange={(event) => finish(Number(event.currentTarget.value))}
          onKeyDown={onKeyDown}
        />
      </div>
      <div class="seek-times">
        <span>{clock}</span>
        <span>{words.f.clock(durationMs)}</span>
      </div>
    </div>
  );
}

/** Where it is to go on, while it is held there, or nobody has agreed yet. */
function SeekTarget({
  shownMs,
  durationMs,
}: {
  readonly shownMs: ReadonlySignal<number>;
  readonly durationMs: number;
}) {
  return <div class="seek-target" style={{ insetInlineStart: `${(100 * shownMs.value) / durationMs}%` }} />;
}
