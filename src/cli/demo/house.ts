/** The rooms of the demo become one house, as people do it: one node forms it, the others are let in, and each is given a song. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { TuttiError } from '../../core/errors.js';
import { Joined, Queued, Track, Transport } from '../../http/schema.js';
import { DEMO_RATE, DEMO_TITLES, demoSamples, wavFile } from './music.js';
import type { Room } from './room.js';

/** From how many nodes on any one may be off, and the others still agree. */
export const SAFE_NODES = 3;

/** Rooms in the order in which they came in; each answers. */
export async function formHouse(rooms: readonly Room[], say: (text: string) => void): Promise<void> {
  const [first, ...others] = rooms as [Room, ...Room[]];
  const { cluster } = await first.client.write('POST', '/cluster/init', Joined);
  say(`${first.name} forms a house, ${cluster.slice(0, 8)}... (tutti init)`);
  if (others.length === 0) return;
  const { node, nodes } = await first.state();
  const self = nodes.find(({ id }) => id === node.id);
  if (self === undefined) throw new TuttiError('NOT_A_MEMBER', `${first.name} has formed a house and is not in it`);
  const key = (await readFile(join(first.dataDir, 'cluster.key'), 'utf8')).trim();
  for (const room of others) {
    await room.client.write('POST', '/cluster/join', Joined, { address: self.address, key });
    say(`${room.name} is let in and joins (tutti invite, tutti join)`);
  }
  await Promise.all(rooms.map((room) => room.until('hears all the others', () => isWhole(room, rooms.length))));
  if (rooms.length >= SAFE_NODES) {
    // The others become voters by themselves, once they have caught up.
    await first.until('sees three that vote', async () => (await first.state()).cluster.votersOnline >= SAFE_NODES);
  }
}

/** True where this node hears all of `count` and knows who leads. */
export async function isWhole(room: Room, count: number): Promise<boolean> {
  const { cluster, nodes } = await room.state();
  return cluster.quorum && cluster.leader !== null && nodes.filter(({ online }) => online).length === count;
}

/** Makes the songs and gives each to another room; the ids of the tracks in the order in which they are to be played. */
export async function bringMusic(rooms: readonly Room[], say: (text: string) => void): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, title] of DEMO_TITLES.entries()) {
    const room = rooms[index % rooms.length]!;
    const file = wavFile(demoSamples(title), DEMO_RATE);
    const upload = { bytes: file.length, read: () => Readable.from([file]) };
    const track = await room.client.upload(`/tracks/${encodeURIComponent(`${title}.wav`)}`, Track, upload);
    const seconds = (track.durationMs / 1_000).toFixed(1);
    say(`"${track.title}" (${seconds} s) is given to ${room.name} and is on ${cards(track.holders.length)}`);
    ids.push(track.id);
  }
  return ids;
}

const cards = (count: number): string => `${count} card${count === 1 ? '' : 's'}`;

/** Queues the tracks at one node, and has another play. */
export async function play(rooms: readonly Room[], trackIds: readonly string[]): Promise<void> {
  await rooms[0]!.client.write('POST', '/queue', Queued, { trackIds });
  await rooms.at(-1)!.client.write('POST', '/transport/play', Transport);
}
