/** What plays, while another region is looked at: the song, play and skip, and how far it is. */
import { useApp, useWords } from '../context.js';
import { Progress } from '../now/progress.js';
import { PlayButton, SkipButton } from '../now/transport-buttons.js';

/** The small player above the foot of the page. */
export function MiniPlayer() {
  const app = useApp();
  const words = useWords();
  const { trackId, title } = app.ticker.song.value;
  return (
    <section class="mini" aria-label={words.regions.now}>
      <Progress className="mini-bar" />
      <a class="mini-title" href="#/now">
        <bdi dir="auto">{title === null || trackId === null ? words.nothing : app.titleOf(trackId, title)}</bdi>
      </a>
      <PlayButton size={28} />
      <SkipButton size={24} />
    </section>
  );
}
