/** What is said aloud. Both regions are there from the beginning: a reader's program does not notice one that comes with its text. */
import { useEffect, useRef } from 'preact/hooks';
import { useApp, useWords } from '../context.js';

/** A region for what happened, and one for what did not. */
export function LiveRegions() {
  const app = useApp();
  const words = useWords();
  const title = app.ticker.song.value.title;
  const before = useRef(title);
  useEffect(() => {
    // The song that plays when the page is opened is read with the page.
    if (title !== null && before.current !== null && title !== before.current) app.notices.say(words.nowPlaying(title));
    before.current = title;
  }, [title, app, words]);
  return (
    <>
      <div class="out-of-sight" role="status">
        {app.notices.status.value}
      </div>
      <div class="out-of-sight" role="alert">
        {app.notices.alert.value}
      </div>
    </>
  );
}
