/** The two questions about a song: how it is called, and whether it goes for good. */
import { useState } from 'preact/hooks';
import type { Track } from '../../../http/schema.js';
import { useApp, useWords } from '../context.js';
import { Dialog } from '../parts/dialog.js';

interface TrackDialogInit {
  readonly track: Track;
  readonly closed: () => void;
}

/** Gives a song another title; one that is not taken stays in the field, with the reason. */
export function RenameDialog({ track, closed }: TrackDialogInit) {
  const app = useApp();
  const words = useWords();
  const [title, setTitle] = useState(app.titleOf(track.id, track.title));
  const [why, setWhy] = useState<string | null>(null);
  const save = async (event: Event) => {
    event.preventDefault();
    const written = await app.actions.rename(track.id, title.trim());
    if (written.ok) closed();
    else setWhy(words.refusal(written.refusal.code).what);
  };
  return (
    <Dialog title={words.renameTitle(track.title)} closed={closed}>
      <form onSubmit={(event) => void save(event)}>
        <label class="labelled">
          {words.newTitle}
          <input
            type="text"
            dir="auto"
            required
            value={title}
            aria-invalid={why !== null}
            aria-describedby="rename-why"
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
        <p id="rename-why" class="bad">
          {why}
        </p>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={closed}>
            {words.cancel}
          </button>
          <button type="submit" class="button button-main">
            {words.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Takes a song off all cards. */
export function DeleteDialog({ track, closed }: TrackDialogInit) {
  const app = useApp();
  const words = useWords();
  return (
    <Dialog title={words.deleteTitle(track.title)} closed={closed}>
      <p>{words.deleteWhy(app.store.state.value!.nodes.length)}</p>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick={closed}>
          {words.cancel}
        </button>
        <button
          type="button"
          class="button button-danger"
          onClick={() => {
            app.actions.deleteTrack(track.id);
            closed();
          }}
        >
          {words.delete}
        </button>
      </div>
    </Dialog>
  );
}
