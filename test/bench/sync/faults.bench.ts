/** What goes wrong in one room, and what the others hear of it: nothing. */
import { fileURLToPath } from 'node:url';
import { until } from '../consensus/contestant.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import { offsetsOverTime, type Stretch, soundingStretches } from './judge.js';
import { closeOffsets, departure, heardFrom, instantOfMoment, missedNs, returnOf } from './moments.js';
import { allSound, byRank, listen, type Room, type Rooms } from './rooms.js';
import { makeSong, type Song } from './song.js';
import { playingRooms } from './spread.bench.js';

/** Longer than everything here: no seam of two songs comes in between. Seconds. */
const SONG_SECONDS = 180;
/** What is listened to before and after. Seconds. */
const BEFORE_S = 5;
const AFTER_S = 6;
const BLOCK_MAIN = fileURLToPath(new URL('./block-main.js', import.meta.url));

/** What the rooms to which nothing happened gave meanwhile: all of it, and as far apart as before. */
function undisturbed(what: string, [one, other]: readonly Room[], within: Stretch, atNs: number): Row[] {
  const [a, b] = [one!.capture(), other!.capture()];
  const shiftNs = departure(closeOffsets(a, b, within), atNs);
  const lostNs = Math.max(missedNs(a, within), missedNs(b, within));
  return [
    atMost(0, { what: `${what}: missing in the other rooms`, figure: lostNs / 1e6, unit: 'ms' }),
    atMost(50, { what: `${what}: shift between the other rooms`, figure: shiftNs / 1e3, unit: 'us' }),
  ];
}

/** How a room came back that was silent at `fromNs`. */
function comeBack(what: string, room: Room, reference: Room, within: Stretch): Row[] {
  const back = returnOf(room.capture(), reference.capture(), within);
  if (back === undefined)
    return [{ what: `${what}: in step again`, figure: Infinity, unit: 'ms', toReach: '<= 200', met: false }];
  return [
    forInformation({ what: `${what}: silent for`, figure: (back.soundsNs - within.fromNs) / 1e6, unit: 'ms' }),
    atMost(200, {
      what: `${what}: from its first sound to in step`,
      figure: (back.inStepNs - back.soundsNs) / 1e6,
      unit: 'ms',
    }),
    forInformation({ what: `${what}: out of step at worst`, figure: back.worstNs / 1e3, unit: 'us' }),
    atMost(1, { what: `${what}: jumps`, figure: back.jumps, unit: '' }),
  ];
}

/** Lets something happen to one room, and says how it came back and what the other two made of it. */
async function afterwards(rooms: Rooms, room: Room, what: string, happens: () => Promise<void> | void): Promise<Row[]> {
  const others = rooms.rooms.filter((each) => each !== room);
  await listen(BEFORE_S);
  const atNs = rooms.now();
  await happens();
  await allSound(rooms);
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  return [
    ...comeBack(what, room, others[0]!, { fromNs: atNs, toNs }),
    ...undisturbed(what, others, { fromNs: atNs - 2e9, toNs }, atNs),
  ];
}

function underrun(rooms: Rooms): Promise<Row[]> {
  const room = rooms.rooms[1];
  return afterwards(rooms, room, 'underrun', () => room.control.underrun());
}

function vanished(rooms: Rooms): Promise<Row[]> {
  const room = rooms.rooms[2];
  return afterwards(rooms, room, 'card pulled out for 3 s', async () => {
    room.control.pullOut();
    await listen(3);
    room.control.plugIn();
  });
}

/** One node hears of a command 400 ms late: it joins at the frame that is due. */
async function delayed(rooms: Rooms): Promise<Row[]> {
  const room = rooms.rooms[2];
  const others = rooms.rooms.filter((each) => each !== room);
  await rooms.rooms[0].command('pause');
  await listen(1);
  const atNs = rooms.now();
  room.signal('SIGUSR2');
  await rooms.rooms[0].command('play');
  await allSound(rooms);
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  const fromNs = Math.max(
    ...others.map((each) => soundingStretches(each.capture(), { fromNs: atNs, toNs }, 5e6)[0]?.fromNs ?? toNs),
  );
  const what = 'play that comes 400 ms late';
  const joins = returnOf(room.capture(), others[0]!.capture(), { fromNs: atNs, toNs })?.soundsNs ?? toNs;
  return [
    ...comeBack(what, room, others[0]!, { fromNs: atNs, toNs }),
    ...undisturbed(what, others, { fromNs, toNs }, joins),
  ];
}

/** The reference is killed: the others play on as if nothing had been. Then it comes back in mid-song. */
async function leaderKilled(rooms: Rooms, song: Song): Promise<Row[]> {
  const { leader, followers } = await byRank(rooms);
  await rooms.rooms[0].command('seek', { positionMs: 0 });
  const soughtNs = rooms.now();
  await listen(BEFORE_S);
  const atNs = rooms.now();
  await leader.end('SIGKILL');
  await until('somebody else leads', async () => (await followers[0].state()).cluster.leader !== null);
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  const between = { fromNs: soughtNs + 1.5e9, toNs };
  const first = followers[0].capture();
  const beganNs = instantOfMoment(first, song, 3, { fromNs: soughtNs + 2e9, toNs: soughtNs + 4e9 });
  const courses = followers.map((room) =>
    beganNs === undefined
      ? []
      : offsetsOverTime(heardFrom(song, beganNs - 3e9), room.capture(), between.fromNs, toNs, 50e6),
  );
  const what = 'leader killed';
  const rows = [
    ...undisturbed(what, followers, between, atNs),
    atMost(50, {
      what: `${what}: shift against the song`,
      figure: Math.max(...courses.map((course) => (course.length === 0 ? Infinity : departure(course, atNs) / 1e3))),
      unit: 'us',
    }),
  ];
  return [...rows, ...(await startInMidSong(rooms, leader, followers[0]))];
}

/** A node starts while the others play. */
async function startInMidSong(rooms: Rooms, room: Room, reference: Room): Promise<Row[]> {
  const startedNs = rooms.now();
  room.start();
  await allSound(rooms);
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  const what = 'process start in mid-song';
  const back = returnOf(room.capture(), reference.capture(), { fromNs: startedNs, toNs });
  const settled = back && closeOffsets(reference.capture(), room.capture(), { fromNs: back.soundsNs + 3e9, toNs });
  const worst = settled?.map(({ offsetNs }) => Math.abs(offsetNs)) ?? [];
  return [
    atMost(1_500, { what: `${what}: to sound`, figure: ((back?.soundsNs ?? Infinity) - startedNs) / 1e6, unit: 'ms' }),
    atMost(1_000, { what: `${what}: out of step at worst`, figure: (back?.worstNs ?? Infinity) / 1e3, unit: 'us' }),
    atMost(50, {
      what: `${what}: out of step after 3 s`,
      figure: worst.length === 0 ? Infinity : Math.max(...worst) / 1e3,
      unit: 'us',
    }),
  ];
}

async function run(): Promise<Row[]> {
  const song = makeSong(7, SONG_SECONDS);
  const rooms = await playingRooms({ songs: [song], nodeArgs: ['--import', BLOCK_MAIN] });
  if ('missing' in rooms) return [skipped('faults', rooms.missing)];
  try {
    return [
      ...(await underrun(rooms)),
      ...(await vanished(rooms)),
      ...(await delayed(rooms)),
      ...(await leaderKilled(rooms, song)),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-faults', run };
export default suite;
