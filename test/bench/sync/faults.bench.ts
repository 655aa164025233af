/** What goes wrong in one room, and what the others hear of it: nothing. */
import { fileURLToPath } from 'node:url';
import { until } from '../consensus/contestant.js';
import { atMost, forInformation, type Row, type Suite, skipped } from '../row.js';
import { offsetsOverTime, type Stretch, soundingStretches, worstOf } from './judge.js';
import { closeOffsets, departure, heardFrom, instantOfMoment, missedNs, returnOf } from './moments.js';
import { allSound, byRank, listen, type Room, type Rooms } from './rooms.js';
import { makeSong, type Song } from './song.js';
import { playingRooms } from './spread.bench.js';

/** Longer than everything here: no seam of two songs comes in between. Seconds. */
const SONG_SECONDS = 180;
/** What is listened to before and after. Seconds. */
const BEFORE_S = 5;
const AFTER_S = 6;
/** How late a command is heard of: block-main.ts. Milliseconds. */
const LATE_MS = 400;
/** How long a card is pulled out: for a moment, and for long enough to be given up by whoever tries ever more rarely. Seconds. */
const PULLED_OUT_S = [3, 12];
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

/** Times that a room set its position anew, by its own count. */
async function snapsOf(room: Room): Promise<number> {
  const { node, nodes } = await room.state();
  return nodes.find(({ id }) => id === node.id)?.output.snaps ?? Infinity;
}

/** A room to which something happens. */
interface Struck {
  readonly what: string;
  readonly room: Room;
  readonly reference: Room;
  /** From the instant of the fault, or that of its end where a person has to end it. */
  readonly within: Stretch;
  readonly withinMs: number;
  readonly snapsBefore: number;
}

/** How a room got over it: soon, for good, and with its position set anew once at most, to the ear and by its own count. */
async function comeBack({ what, room, reference, within, withinMs, snapsBefore }: Struck): Promise<Row[]> {
  const back = returnOf(room.capture(), reference.capture(), within);
  const snaps = (await snapsOf(room)) - snapsBefore;
  return [
    atMost(withinMs, {
      what: `${what}: from that instant to in step for good`,
      figure: ((back?.inStepNs ?? Infinity) - within.fromNs) / 1e6,
      unit: 'ms',
    }),
    forInformation({ what: `${what}: silent of it`, figure: (back?.silentNs ?? Infinity) / 1e6, unit: 'ms' }),
    forInformation({ what: `${what}: out of step at worst`, figure: (back?.worstNs ?? Infinity) / 1e3, unit: 'us' }),
    atMost(1, { what: `${what}: jumps`, figure: back?.jumps ?? Infinity, unit: '' }),
    atMost(1, { what: `${what}: positions set anew by its own count`, figure: snaps, unit: '' }),
  ];
}

/** Listens on after what was done to one room at `atNs`, and says how it got over it and what the other two made of it. */
async function afterwards(rooms: Rooms, struck: Omit<Struck, 'reference' | 'within'>, atNs: number, endedNs = atNs) {
  const others = rooms.rooms.filter((each) => each !== struck.room);
  await listen(AFTER_S);
  const toNs = rooms.now() - 500e6;
  return [
    ...(await comeBack({ ...struck, reference: others[0]!, within: { fromNs: endedNs, toNs } })),
    ...undisturbed(struck.what, others, { fromNs: atNs - 2e9, toNs }, atNs),
  ];
}

async function underrun(rooms: Rooms): Promise<Row[]> {
  const room = rooms.rooms[1];
  const snapsBefore = await snapsOf(room);
  await listen(BEFORE_S);
  const atNs = rooms.now();
  room.control.underrun();
  return afterwards(rooms, { what: 'underrun', room, withinMs: 200, snapsBefore }, atNs);
}

async function vanished(rooms: Rooms, seconds: number): Promise<Row[]> {
  const room = rooms.rooms[2];
  const snapsBefore = await snapsOf(room);
  await listen(BEFORE_S);
  const atNs = rooms.now();
  room.control.pullOut();
  await listen(seconds);
  const backNs = rooms.now();
  room.control.plugIn();
  const what = `card pulled out for ${seconds} s, and back`;
  return afterwards(rooms, { what, room, withinMs: 300, snapsBefore }, atNs, backNs);
}

/** One node hears of a command 400 ms late: it joins at the frame that is due. */
async function delayed(rooms: Rooms): Promise<Row[]> {
  const room = rooms.rooms[2];
  const others = rooms.rooms.filter((each) => each !== room);
  await rooms.rooms[0].command('pause');
  const snapsBefore = await snapsOf(room);
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
  const joins = returnOf(room.capture(), others[0]!.capture(), { fromNs, toNs })?.soundsNs ?? toNs;
  return [
    // Of these 400 ms some are the command's own lead: what is left is late, and then it has 200 ms as after any other fault.
    ...(await comeBack({
      what,
      room,
      reference: others[0]!,
      within: { fromNs, toNs },
      withinMs: LATE_MS + 200,
      snapsBefore,
    })),
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
    beganNs === undefined ? [] : offsetsOverTime(heardFrom(song, beganNs - 3e9), room.capture(), between, 50e6),
  );
  const what = 'leader killed';
  const rows = [
    ...undisturbed(what, followers, between, atNs),
    atMost(50, {
      what: `${what}: shift against the song`,
      figure: Math.max(...courses.map((course) => departure(course, atNs) / 1e3)),
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
  return [
    atMost(1_500, { what: `${what}: to sound`, figure: ((back?.soundsNs ?? Infinity) - startedNs) / 1e6, unit: 'ms' }),
    atMost(1_000, { what: `${what}: out of step at worst`, figure: (back?.worstNs ?? Infinity) / 1e3, unit: 'us' }),
    atMost(50, {
      what: `${what}: out of step after 3 s`,
      figure: worstOf(settled ?? []) / 1e3,
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
      ...(await vanished(rooms, PULLED_OUT_S[0]!)),
      ...(await vanished(rooms, PULLED_OUT_S[1]!)),
      ...(await delayed(rooms)),
      ...(await leaderKilled(rooms, song)),
    ];
  } finally {
    await rooms.stop();
  }
}

const suite: Suite = { name: 'sync-faults', run };
export default suite;
