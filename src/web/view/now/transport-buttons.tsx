/** Play, skip and back. They are never taken away: where nothing can be changed they say why, and can still be reached by keyboard. */
import type { Button } from '../../model/overlay.js';
import { useApp, useWords } from '../context.js';
import { Icon, type IconName } from '../parts/icon.js';

interface TransportButtonInit {
  readonly button: Button;
  readonly icon: IconName;
  readonly label: string;
  readonly size: number;
  readonly className?: string;
}

function TransportButton({ button, icon, label, size, className = 'round' }: TransportButtonInit) {
  const app = useApp();
  const whyNot = app.whyNot.value;
  const isPressed = app.store.pending.value.some(({ wish }) => wish.kind === 'press' && wish.button === button);
  return (
    <button
      type="button"
      class={isPressed ? `${className} asked` : className}
      aria-label={label}
      aria-disabled={whyNot !== null}
      title={whyNot ?? undefined}
      onClick={() => app.press(button)}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}

/** Play where it is silent, pause where it plays. */
export function PlayButton({ size, className = 'round' }: { readonly size: number; readonly className?: string }) {
  const words = useWords();
  const isPlaying = useApp().ticker.song.value.status === 'playing';
  return (
    <TransportButton
      button="toggle"
      icon={isPlaying ? 'pause' : 'play'}
      label={isPlaying ? words.pause : words.play}
      size={size}
      className={className}
    />
  );
}

/** On to the next song. */
export function SkipButton({ size }: { readonly size: number }) {
  const words = useWords();
  return <TransportButton button="skip" icon="skip" label={words.buttons.skip} size={size} />;
}

/** To the start of the song, or to the one before. */
export function PreviousButton({ size }: { readonly size: number }) {
  const words = useWords();
  return <TransportButton button="previous" icon="previous" label={words.buttons.previous} size={size} />;
}
