/** A note head: full where the room sounds, hollow where nothing is due, crossed where it should sound and does not, a rest where it is away. */
import type { RoomKind } from '../../model/rooms.js';

/** One head; `aside` is how far it stands from the common line, in its own widths. The words beside it say the same. */
export function NoteHead({ kind, aside = 0 }: { readonly kind: RoomKind; readonly aside?: number }) {
  return (
    <svg
      class={`head head-${kind}`}
      viewBox="-9 -9 18 18"
      width="18"
      height="18"
      style={{ transform: `translateX(${aside * 12}px)` }}
      aria-hidden="true"
    >
      {kind === 'playing' && <ellipse rx="6.4" ry="4.6" transform="rotate(-22)" />}
      {kind === 'idle' && <ellipse rx="5.6" ry="3.9" transform="rotate(-22)" />}
      {kind === 'silent' && <path d="M-5 -5L5 5M5 -5L-5 5" />}
      {kind === 'away' && <path d="M-6 0h12v4h-12z" />}
    </svg>
  );
}
