/** A client that uploads, and watches what becomes of it. */
import { request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { State, Track } from '../../../src/http/schema.js';
import { HttpConnection, request } from '../consensus/http-client.js';
import { mustBeDone } from '../consensus/load.js';
import type { House, TuttiMember } from '../consensus/tutti-house.js';
import type { Song } from './songs.js';

/** Between two looks. Milliseconds. */
const LOOK_MS = 10;
/** So long a file may take to be everywhere. Milliseconds. */
const PATIENCE_MS = 120_000;

/** When what happened, milliseconds since the client sent its first byte. */
export interface Copied {
  readonly id: string;
  /** The node that takes it in has all bytes: what follows is reading back, copying, agreeing. */
  readonly receivedMs: number;
  /** The client heard 201. */
  readonly answeredMs: number;
  /** Every node holds it, by the word of the one that took it in. */
  readonly everywhereMs: number;
}

/** Sends a song to a node; resolves with its id at the answer 201. @throws Error with any other */
export function send(member: TuttiMember, song: Song): Promise<string> {
  return new Promise((resolve, reject) => {
    const { host, port } = member;
    const headers = { 'content-length': song.bytes, 'tutti-upload': song.name };
    const put = httpRequest({ method: 'PUT', host, port, path: `/api/v1/tracks/${song.name}`, headers });
    put.on('error', reject);
    put.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => {
        if (response.statusCode === 201) resolve((JSON.parse(text) as Track).id);
        else reject(new Error(`the upload was answered ${response.statusCode}: ${text}`));
      });
    });
    for (const part of song.parts) put.write(part);
    put.end();
  });
}

/** Asks over one connection, again and again, until `found` finds something in the answer. */
async function watch<T>(member: TuttiMember, path: string, found: (answer: never) => T | undefined): Promise<T> {
  const connection = await HttpConnection.open(member.port, member.host);
  try {
    const bytes = request('GET', `/api/v1${path}`, member.port);
    for (const giveUpAt = performance.now() + PATIENCE_MS; performance.now() < giveUpAt; await wait(LOOK_MS)) {
      const answer = await connection.send(bytes);
      mustBeDone(answer);
      const value = found(JSON.parse(answer.body) as never);
      if (value !== undefined) return value;
    }
    throw new Error(`${path}: what was waited for did not come`);
  } finally {
    connection.close();
  }
}

/** Resolves once every node of the house holds a track, by the word of `member`. */
export const heldEverywhere = ({ members }: House, member: TuttiMember, id: string): Promise<true> =>
  watch(member, `/tracks/${id}`, ({ holders }: Track) => holders.length === members.length || undefined);

/** Uploads a song and waits until every node holds it. */
export async function copyEverywhere(house: House, member: TuttiMember, song: Song): Promise<Copied> {
  const beganAt = performance.now();
  const sent = send(member, song).then((id) => ({ id, answeredMs: performance.now() - beganAt }));
  const received = watch(member, '/state', ({ uploads }: State) =>
    uploads.some(({ id, stage }) => id === song.name && stage !== 'receiving')
      ? performance.now() - beganAt
      : undefined,
  );
  const [{ id, answeredMs }, receivedMs] = await Promise.all([sent, received]);
  await heldEverywhere(house, member, id);
  return { id, receivedMs, answeredMs, everywhereMs: performance.now() - beganAt };
}
