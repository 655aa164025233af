/** How loud it is: of the house, or of one room. Steps of five at the sides; the bar follows the thumb, never a stray tap. */
import { useRef, useState } from 'preact/hooks';
import { newest } from '../../model/overlay.js';
import { slid } from '../../model/volume-slide.js';
import { nowMs } from '../../world/timers.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';

/** What a person sees as one step. Per cent. */
const STEP = 5;
/** While the thumb is moved, the house follows so often. Milliseconds. */
const SEND_MS = 200;
/** A tap that far from the thumb is not meant for it. Per cent of the bar. */
const THUMB = 12;

/** What the slider stands for. */
export interface VolumeInit {
  /** Id of a node; null: the house. */
  readonly node: string | null;
  readonly label: string;
  readonly volume: number;
  readonly muted: boolean;
}

/** Mute, quieter, bar, louder. */
export function Volume({ node, label, volume: agreed, muted: agreedMuted }: VolumeInit) {
  const app = useApp();
  const words = useWords();
  const [held, setHeld] = useState<number | null>(null);
  const grip = useRef({ from: 0, sentMs: 0 });
  const pending = app.store.pending.value;
  const shown = held ?? newest(pending, 'volume', (wish) => wish.node === node)?.volume ?? agreed;
  const muted = newest(pending, 'mute', (wish) => wish.node === node)?.muted ?? agreedMuted;
  const isOff = app.whyNot.value !== null;
  const set = (volume: number) => {
    if (isOff) return app.explain();
    void app.actions.volume(Math.max(0, Math.min(100, volume)), node);
  };
  const hold = (event: PointerEvent & { readonly currentTarget: HTMLInputElement }) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const at = (100 * (event.clientX - left)) / width;
    if (event.pointerType === 'touch' && Math.abs(at - shown) > THUMB) event.preventDefault();
    grip.current = { from: shown, sentMs: nowMs() };
  };
  const move = (input: HTMLInputElement) => {
    // A key moves the thumb without taking it.
    if (held === null) grip.current.from = shown;
    const volume = slid(grip.current.from, Number(input.value));
    if (volume !== Number(input.value)) input.value = String(volume);
    setHeld(volume);
    if (isOff || nowMs() - grip.current.sentMs < SEND_MS) return;
    grip.current.sentMs = nowMs();
    set(volume);
  };
  const release = (input: HTMLInputElement) => {
    setHeld(null);
    set(Number(input.value));
  };
  return (
    <fieldset class={muted ? 'volume volume-muted' : 'volume'} aria-label={label}>
      <button
        type="button"
        class="round"
        aria-label={muted ? words.unmute : words.mute}
        aria-pressed={muted}
        aria-disabled={isOff}
        onClick={() => (isOff ? app.explain() : app.actions.mute(!muted, node))}
      >
        <Icon name={muted ? 'muted' : 'volume'} />
      </button>
      <button
        type="button"
        class="round"
        aria-label={words.quieter}
        aria-disabled={isOff}
        onClick={() => set(shown - STEP)}
      >
        <Icon name="minus" />
      </button>
      <input
        type="range"
        class="bar"
        min={0}
        max={100}
        step={1}
        value={shown}
        style={{ '--share': `${shown}%` }}
        aria-label={label}
        aria-valuetext={muted ? `${words.perCent(shown)}, ${words.muted}` : words.perCent(shown)}
        aria-disabled={isOff}
        onPointerDown={hold}
        onInput={(event) => move(event.currentTarget)}
        onChange={(event) => release(event.currentTarget)}
      />
      <button
        type="button"
        class="round"
        aria-label={words.louder}
        aria-disabled={isOff}
        onClick={() => set(shown + STEP)}
      >
        <Icon name="plus" />
      </button>
      <output class="volume-figure">{words.perCent(shown)}</output>
    </fieldset>
  );
}
