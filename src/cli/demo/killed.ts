/**
 * The node that leads is killed in mid-song, and what the cards wrote down says what was heard. Of two nodes it is the other one: two agree
 * no more safely than one, and without the one that votes nothing can be changed.
 *
 * Nobody is asked how well it went: recordings of all rooms, with times of the one clock of this machine, are laid over the music. The nodes'
 * own opinion (`GET /sync`) is told beside it.
 */
import { Queue, Queued, State, Sync, TrackList } from '../../http/schema.js';
import { positionAt } from '../commands/transport.js';
import { isWhole, SAFE_NODES } from './house.js';
import type { Music } from './listening.js';
import { beginningOf, DEMO_RATE } from './music.js';
import type { Recording } from './recording.js';
import { type Room, sound } from './room.js';
import { type Heard, listen, type Player } from './spread.js';
import type { Stage } from './story.js';

/** What is listened to at a time. Milliseconds. */
const LISTEN_MS = 5_000;
/** From the first sound of a room until it is settled. Milliseconds. */
const SETTLE_MS = 1_500;

/** What is known before. */
interface Act {
  /** Of all recordings. */
  readonly originNs: bigint;
  readonly trackIds: readonly string[];
  /** The tracks, which are queued one after another again and again. */
  readonly music: Music;
}

/** What was found out. */
export interface Findings {
  /** Who was killed. */
  readonly killed: string;
  /** All rooms before that; the others all the while; all rooms after it was back. */
  readonly before: Heard;
  readonly through: Heard;
  readonly after: Heard;
  /** Half of the time no further apart, as the nodes see it, microseconds; null where they say nothing. */
  readonly opinionUs: number | null;
  /** From the kill until another room's command was done, milliseconds. */
  readonly acceptedMs: number;
  /** Ids of what was answered and is not everywhere. */
  readonly missing: readonly string[];
  /** Times that a card ran dry meanwhile. */
  readonly underruns: number;
}

/** Listens, kills a node, listens to the others, starts it again, and listens to all. @throws TuttiError where a step failed */
export async function killOne(
  rooms: readonly [Room, ...Room[]],
  stage: Stage,
  { originNs, trackIds, music }: Act,
): Promise<Findings> {
  const { say, time, wait } = stage;
  const nowNs = () => Number(time.now() - originNs);
  say(`Listening to them for ${LISTEN_MS / 1_000} s.`);
  await wait(SETTLE_MS);
  const dryBefore = await underrunsOf(rooms);
  const togetherNs = nowNs();
  await wait(LISTEN_MS);
  const opinion = (await rooms[0].client.read('/sync', Sync)).spread;

  const { victim, role } = await chosenVictim(rooms);
  const others = rooms.filter((room) => room !== victim);
  const answered = [...(await queueOne(victim, trackIds))];
  const victimDry = await underrunsOf([victim]);
  const killedNs = nowNs();
  await victim.kill();
  const dead = await victim.recording(originNs);
  say(`${victim.name}, which ${role}, is killed in mid-song (SIGKILL), right after it has answered a command.`);
  await others[0]!.until('takes a command', async () => {
    answered.push(...(await queueOne(others[0]!, trackIds)));
    return true;
  });
  const acceptedMs = Math.round((nowNs() - killedNs) / 1e6);
  say(`The next command, at ${others[0]!.name}, is done ${acceptedMs} ms later.`);
  await wait(LISTEN_MS);

  await victim.start();
  say(`${victim.name} is started again.`);
  await Promise.all(rooms.map((room) => room.until('hears all the others', () => isWhole(room, rooms.length))));
  await sound([victim]);
  await wait(SETTLE_MS);
  const backNs = nowNs();
  say(`${victim.name} plays again. Listening for ${LISTEN_MS / 1_000} s.`);
  await wait(LISTEN_MS);
  const place = await placeNow(others[0]!, nowNs);
  const endNs = nowNs();

  const missing = await missingOf(rooms, { items: answered, tracks: trackIds });
  const underruns = (await underrunsOf(rooms)) + victimDry - dryBefore;
  const playerOf = async (room: Room): Promise<Player> => ({
    name: room.name,
    recording: await recordingUntil(room, originNs, endNs),
  });
  const through = await Promise.all(others.map(playerOf));
  const hear = (who: readonly Player[], fromNs: number, toNs: number) =>
    listen(who, { fromNs, toNs }, { music, rate: DEMO_RATE, place });
  return {
    killed: victim.name,
    before: hear([...through, { name: victim.name, recording: dead }], togetherNs, Math.min(killedNs, dead.endsAtNs)),
    through: hear(through, togetherNs, endNs),
    after: hear([...through, await playerOf(victim)], backNs, endNs),
    opinionUs: opinion.p50Us,
    acceptedMs,
    missing,
    underruns,
  };
}

/** Where in the music the house is, by its own word: to some milliseconds, for whoever looks for the place in what was played. */
async function placeNow(
  room: Room,
  nowNs: () => number,
): Promise<{ readonly atNs: number; readonly position: number }> {
  const askedNs = nowNs();
  const state = await room.client.read('/state', State);
  const atNs = (askedNs + nowNs()) / 2;
  const positionMs = positionAt(state);
  return { atNs, position: beginningOf(state.transport.title ?? '') + (positionMs / 1_000) * DEMO_RATE };
}

/** Who is to be killed, and what it does in the house, in words. */
async function chosenVictim(rooms: readonly [Room, ...Room[]]): Promise<{ victim: Room; role: string }> {
  const { cluster, nodes } = await rooms[0].state();
  const leads = nodes.find(({ id }) => id === cluster.leader)?.name;
  const isLeader = rooms.length >= SAFE_NODES;
  const victim = rooms.find(({ name }) => (name === leads) === isLeader) ?? rooms[0];
  return { victim, role: isLeader ? 'leads' : 'follows' };
}

/** Adds a song at the end of the queue, and gives the id of its place there. */
async function queueOne(room: Room, trackIds: readonly string[]): Promise<readonly string[]> {
  return (await room.client.write('POST', '/queue', Queued, { trackIds: trackIds.slice(0, 1) })).itemIds;
}

/** What was answered and is not on every node: ids of queue items and tracks. Nothing that was answered may be lost. */
async function missingOf(
  rooms: readonly Room[],
  expected: { readonly items: readonly string[]; readonly tracks: readonly string[] },
): Promise<string[]> {
  const missing: string[] = [];
  for (const { client } of rooms) {
    const { items } = await client.read('/queue?consistency=strong', Queue);
    const { tracks } = await client.read('/tracks?consistency=strong', TrackList);
    const queued = new Set(items.map(({ itemId }) => itemId));
    const known = new Set(tracks.map(({ id }) => id));
    missing.push(...expected.items.filter((id) => !queued.has(id)), ...expected.tracks.filter((id) => !known.has(id)));
  }
  return missing;
}

/** What a room has played, once all of it up to an instant is written down. */
async function recordingUntil(room: Room, originNs: bigint, endNs: number): Promise<Recording> {
  let recording: Recording | undefined;
  await room.until('has written down what it played', async () => {
    recording = await room.recording(originNs);
    return recording.endsAtNs >= endNs;
  });
  return recording!;
}

/** Times that cards ran dry since their nodes were started. */
async function underrunsOf(rooms: readonly Room[]): Promise<number> {
  let sum = 0;
  for (const room of rooms) {
    const { node, nodes } = await room.state();
    sum += nodes.find(({ id }) => id === node.id)?.output.underruns ?? 0;
  }
  return sum;
}
