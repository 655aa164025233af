/** The power of a whole house is cut while people ask for things, and comes back: what became of what they were told? */
import { setTimeout as wait } from 'node:timers/promises';
import type { Queued, State, Track } from '../../../src/http/schema.js';
import { until } from '../../bench/consensus/contestant.js';
import type { House, TuttiMember } from '../../bench/consensus/tutti-house.js';
import { houseModel } from '../house-model.js';
import { linearize, type Verdict } from '../linearizable.js';
import { Clients, longSong, viewOf } from './clients.js';

const CLIENTS = 4;
/** People are told so much before it is dark, and up to as much more. */
const CALLS_MIN = 10;
/** After a power cut not all machines begin at once: between the first and the last, at most. Milliseconds. */
const APART_MS = 500;

export const urlOf = ({ host, port }: TuttiMember): string => `http://${host}:${port}`;

/** A call under /api/v1. @throws Error with the answer where it is refused */
export async function call<T>(
  member: TuttiMember,
  method: string,
  path: string,
  body?: object | Uint8Array,
): Promise<T> {
  const isFile = body instanceof Uint8Array;
  const response = await fetch(`${urlOf(member)}/api/v1${path}`, {
    method,
    headers: { connection: 'close', ...(body !== undefined && !isFile && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: isFile ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** A house has a song: its id. */
export const songIn = async (house: House): Promise<string> =>
  (await call<Track>(house.members[0]!, 'PUT', '/tracks/a.wav', longSong())).id;

/** Ends all processes of a house at one instant. */
export const darken = async ({ members }: House): Promise<void> => {
  await Promise.all(members.map((member) => member.end('SIGKILL')));
};

/** Starts them, each when it likes; resolves when all vote and hear one another. */
export async function lighten({ members }: House, chance: () => number): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      await wait(chance() * APART_MS);
      member.start();
    }),
  );
  await until('the house is whole', async () => {
    const states = await Promise.all(members.map((member) => member.state()));
    return states.every(
      ({ cluster }) => cluster.quorum && cluster.leader !== null && cluster.votersOnline === members.length,
    );
  });
}

/** What a power cut came to. */
export interface Cut {
  /** Whether the house answered as one machine that stood still meanwhile: nothing lost, nothing done twice, nothing done late. */
  readonly verdict: Verdict<unknown, unknown>;
  /** Calls that were answered before it was dark, and those that nobody answered. */
  readonly answered: number;
  readonly unanswered: number;
  /** From the first process to the first command that was done. Milliseconds. */
  readonly backMs: number;
}

/** Cuts the power once, at some moment while four people ask. `chance` gives numbers from 0 up to 1. */
export async function cutPower(house: House, trackId: string, chance: () => number): Promise<Cut> {
  const [first] = house.members as [TuttiMember];
  // Which number the next item has, only an item tells.
  const { itemIds } = await call<Queued>(first, 'POST', '/queue', { trackId });
  const state = await call<State>(first, 'GET', '/state?consistency=strong');
  const model = houseModel({ ...viewOf(state), nextSeq: Number(itemIds[0]!.slice(1)) + 1 });
  const seed = Math.floor(chance() * 2 ** 32);
  const clients = new Clients(() => house.members.map(urlOf), { trackId, seed, twice: false, givesUpOneIn: 1 });
  const asked = clients.run(CLIENTS);
  const calls = CALLS_MIN * (1 + chance());
  await until('people were told something', () => Promise.resolve(clients.history.length >= calls));
  await wait(chance() * APART_MS);
  const calledAt = performance.now();
  await darken(house);
  clients.stop();
  await asked;
  const answered = clients.history.filter(({ answer }) => answer !== undefined).length;

  const startedAt = performance.now();
  await lighten(house, chance);
  for (const member of house.members) await call(member, 'PUT', '/volume', { muted: false });
  const returnedAt = performance.now();
  clients.history.push({ asked: { what: 'outage' }, answer: { done: true }, calledAt, returnedAt });
  for (const member of house.members) await clients.read(urlOf(member));
  return {
    verdict: linearize(model, clients.history),
    answered,
    unanswered: clients.history.filter(({ answer }) => answer === undefined).length,
    backMs: returnedAt - startedAt,
  };
}
