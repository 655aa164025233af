/**
 * The peer: Snapcast, of Debian's packages `snapserver` and `snapclient`, on cards and clocks of the same kind as ours.
 *
 * The packages are only unpacked, next to the build. The clients get what makes it easiest for them: a stream that needs no decoding and no
 * conversion. They keep their own time towards the server, over TCP, as they do in the field.
 *
 * Further reading: https://github.com/badaix/snapcast, doc/configuration.md.
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTestCard, writeCardConfig } from '../../card/card.js';
import { folderOnDisk, freePorts, Program, until } from '../consensus/contestant.js';
import { CardCapture } from './card-capture.js';
import { CRYSTALS, makeClocks } from './crystals.js';
import { CARD_PPM } from './rooms.js';
import { makeSong } from './song.js';

/** Where the packages are unpacked: kept, so that they are brought once. */
const UNPACKED = join(tmpdir(), 'tutti-bench-snapcast');
const PACKAGES = ['snapserver', 'snapclient'];
/** What is streamed over and over. */
const SONG_SECONDS = 30;

/** Paths of the programs, or why there are none. Brings the packages with apt where they are missing. */
export function findSnapcast(): { readonly server: string; readonly client: string } | { readonly missing: string } {
  const bin = (name: string) =>
    [`/usr/bin/${name}`, join(UNPACKED, 'usr', 'bin', name)].find((path) => existsSync(path));
  if (PACKAGES.some((name) => bin(name) === undefined)) {
    if (process.env.TUTTI_NO_APT === '1') return { missing: 'Snapcast is not installed, and TUTTI_NO_APT forbids apt' };
    mkdirSync(UNPACKED, { recursive: true });
    const apt = (...words: string[]) => spawnSync('apt-get', ['-qq', ...words], { cwd: UNPACKED }).status === 0;
    const download = () => apt('download', ...PACKAGES);
    // The lists of packages may never have been fetched on this machine.
    if (!download() && !(process.getuid?.() === 0 && apt('update') && download()))
      return { missing: 'apt could not bring snapserver and snapclient' };
    for (const file of readdirSync(UNPACKED).filter((name) => name.endsWith('.deb')))
      spawnSync('dpkg-deb', ['-x', file, '.'], { cwd: UNPACKED });
  }
  const server = bin('snapserver');
  const client = bin('snapclient');
  if (server === undefined || client === undefined) return { missing: 'Snapcast could not be unpacked' };
  for (const program of [server, client]) {
    const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (status !== 0) return { missing: `${program} does not run here: ${stdout.trim() || 'a library is missing'}` };
  }
  return { server, client };
}

/** Three clients that play. */
export interface SnapcastRooms {
  /** What the cards have written down by now. */
  captures(): CardCapture[];
  stop(): Promise<void>;
}

/** Starts the server and its three clients, and waits until all cards run. Instants of the captures count from `originNs`. */
export async function startSnapcast(
  { server, client }: { readonly server: string; readonly client: string },
  originNs: bigint,
): Promise<SnapcastRooms> {
  const folder = folderOnDisk();
  const card = await buildTestCard();
  const clocks = makeClocks(folder, originNs);
  if ('missing' in card || 'missing' in clocks) throw new Error('our own rooms would not run here either');
  const [port] = await freePorts(1);
  const pipe = join(folder, 'pipe');
  const config = join(folder, 'snapserver.conf');
  const source = `pipe://${pipe}?name=bench&sampleformat=48000:16:2&codec=pcm`;
  writeFileSync(
    config,
    `[server]\ndatadir=${folder}\n[http]\nenabled=false\n[tcp]\nenabled=false\n[stream]\nport=${port}\nsource=${source}\n`,
  );
  const PATH = process.env.PATH;
  const serving = new Program([server, '-c', config], { PATH });
  serving.start();
  await until('snapserver has made its pipe', async () => existsSync(pipe));
  const stream = createWriteStream(pipe);
  const song = makeSong(99, SONG_SECONDS).wav.subarray(44);
  // The server takes from its pipe as much as is due: a full pipe is what paces this.
  const feed = () => stream.write(song);
  stream.on('drain', feed).on('error', () => {});
  feed();
  const players = CARD_PPM.map((ppm, index) => {
    const home = join(folder, `client-${index}`);
    mkdirSync(home);
    const capture = join(home, 'capture');
    const { env } = writeCardConfig(card, {
      path: join(home, 'asound.conf'),
      cards: { card: { ppm, rates: [48_000], capture } },
    });
    const plain = [client, '-h', '127.0.0.1', '-p', String(port), '-s', 'card', '--hostID', `room-${index}`];
    const wrapped = clocks.wrap(CRYSTALS[index]!, [...plain, '--logsink', 'stderr']);
    return { capture, program: new Program(wrapped.command, { PATH, HOME: home, ...env, ...wrapped.env }) };
  });
  for (const { program } of players) program.start();
  const captures: CardCapture[] = [];
  const stop = async () => {
    stream.destroy();
    await Promise.all([serving, ...players.map(({ program }) => program)].map((program) => program.end('SIGKILL')));
    for (const capture of captures) capture.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const { capture } of players) {
      await until('snapclient plays', async () => existsSync(capture));
      captures.push(new CardCapture(capture, originNs));
    }
  } catch (error) {
    await stop();
    throw new Error(`Snapcast does not play: ${players.map(({ program }) => program.lastWords).join('\n')}`, {
      cause: error,
    });
  }
  return {
    captures() {
      for (const capture of captures) capture.grow();
      return captures;
    },
    stop,
  };
}
