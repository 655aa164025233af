/** add, ls, rm: the tracks of the house. */
import type { Command } from 'commander';
import { type ErrorCode, TuttiError } from '../../core/errors.js';
import { type Track, TrackList, Track as TrackSchema, Written } from '../../http/schema.js';
import { findTrack, ID_DIGITS_SHOWN } from '../find.js';
import type { NodeClient, TrackUpload } from '../node-client.js';
import { ProgressLine, SendingProgress } from '../progress.js';
import type { RunCommand, Session } from '../session.js';
import { type Column, printable, shownBytes, shownRate, shownTime, shownTitle, table } from '../text.js';
import { watchUpload } from '../watching.js';

/** Adds `add`, `ls` and `rm` to `program`. */
export function addLibraryCommands(program: Command, run: RunCommand): void {
  program
    .command('add')
    .summary('upload WAV files')
    .description(
      'Uploads WAV files, one after another. A file that the library has already counts as done: the same command can be given again after a break. A file that is refused does not keep the others from being sent; the first such refusal decides the exit code.',
    )
    .argument('<file...>', 'WAV files of this machine')
    .action(run(addFiles));
  program
    .command('ls')
    .summary('list the tracks')
    .description('Lists the tracks of the library.')
    .action(run(listTracks));
  program
    .command('rm')
    .summary('remove a track from every node')
    .description('Removes a track from every node. It is refused while the track plays.')
    .argument('<track>', TRACK_HELP)
    .action(run(removeTrack));
}

/** What a TRACK argument takes, for the help. */
export const TRACK_HELP = `id, the first ${ID_DIGITS_SHOWN} or more digits of it, or title`;

/** The track that a person means. @throws TuttiError */
export async function trackNamed(client: NodeClient, typed: string): Promise<Track> {
  const { tracks } = await client.read('/tracks', TrackList);
  return findTrack(tracks, typed);
}

/** Refusals that are about the file alone: the next one may well be taken. After any other, the rest would meet the same. */
const ABOUT_THE_FILE: readonly ErrorCode[] = [
  'BAD_NAME',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_AUDIO',
  'INCOMPLETE_AUDIO',
  'BAD_USAGE',
];

async function addFiles(session: Session, paths: readonly string[]): Promise<void> {
  const client = session.client();
  // All are opened first, so that a slip in the third name does not come to light after the second upload.
  const files = [];
  for (const path of paths) files.push({ path, file: await session.components.files.open(path) });

  for (const { path, file } of files) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const { stderr: output, nowMs, uniqueKey } = session.components;
    const line = new ProgressLine({ output }, { name: shownTitle(name) });
    const progress = new SendingProgress({ line, nowMs }, { totalBytes: file.bytes });
    const watched = line.isSeen ? { id: uniqueKey() } : {};
    const upload: TrackUpload = { ...watched, bytes: file.bytes, read: () => progress.count(file.read()) };
    try {
      const work = client.upload(`/tracks/${encodeURIComponent(name)}`, TrackSchema, upload);
      const { id } = upload;
      if (id !== undefined) await watchUpload({ session, client, line }, { id, isSent: () => progress.isSent, work });
      const track = await work;
      line.end();
      session.print({ file: path, added: true, track }, () => `Added: ${titleAndLength(track)}`);
    } catch (error) {
      line.end();
      if (!(error instanceof TuttiError)) throw error;
      if (error.code === 'TRACK_EXISTS') {
        const { code, detail, info } = error;
        session.print({ file: path, added: false, code, detail, ...info }, () => `Already there: ${printable(detail)}`);
      } else if (ABOUT_THE_FILE.includes(error.code) && files.length > 1) {
        session.reportError(error, path);
      } else throw error;
    }
  }
}

async function listTracks(session: Session): Promise<void> {
  const list = await session.client().read('/tracks', TrackList);
  session.print(list, () =>
    list.tracks.length === 0
      ? 'The library is empty: tutti add FILE...'
      : table(TRACK_COLUMNS, list.tracks, session.bold),
  );
}

const TRACK_COLUMNS: readonly Column<Track>[] = [
  { head: 'TITLE', cell: (track) => shownTitle(track.title) },
  { head: 'ARTIST', cell: (track) => track.artist ?? '' },
  { head: 'LENGTH', cell: (track) => shownTime(track.durationMs), align: 'right' },
  { head: 'RATE', cell: (track) => shownRate(track.sampleRate), align: 'right' },
  { head: 'BITS', cell: (track) => String(track.bits), align: 'right' },
  { head: 'CH', cell: (track) => String(track.channels), align: 'right' },
  { head: 'SIZE', cell: (track) => (track.lost ? 'lost' : shownBytes(track.bytes)), align: 'right' },
  { head: 'ID', cell: (track) => track.id.slice(0, ID_DIGITS_SHOWN) },
];

async function removeTrack(session: Session, typed: string): Promise<void> {
  const client = session.client();
  const track = await trackNamed(client, typed);
  const written = await client.write('DELETE', `/tracks/${track.id}`, Written);
  session.print({ ...written, track }, () => `Removed: ${shownTitle(track.title)}`);
}

const titleAndLength = (track: Track): string => `${shownTitle(track.title)} (${shownTime(track.durationMs)})`;
