/** The library: uploads, downloads, and what is known of each track. */
import { Readable } from 'node:stream';
import { TuttiError } from '../../core/errors.js';
import type { Track } from '../../library/track.js';
import type { Node } from '../../node/node.js';
import { isKnown } from '../known.js';
import { parseRange } from '../range.js';
import { type Call, done, type Route, route, routeWithBody, tellSlot, waitForConsistency } from '../route.js';
import { ReadQuery, TitleBody, TrackList, Track as TrackSchema, Written } from '../schema.js';
import { trackOf } from '../state.js';
import { announcedBytes, uploadedBytes, uploadId } from '../upload.js';

/** Calls at and below `/tracks`. `:track` is an id or a title; of an upload it is a file name. */
export const trackRoutes: readonly Route[] = [
  route({
    method: 'PUT',
    path: '/tracks/:track',
    summary: 'Upload a WAV under its file name. Answers when it is durable and agreed.',
    answer: { status: 201, description: 'It is a track now.', json: TrackSchema },
    headers: { 'Tutti-Upload': 'Names the upload for whoever watches it: 1 to 64 letters, digits and .-_~' },
    refuses: [
      'BAD_NAME',
      'TRACK_EXISTS',
      'UNSUPPORTED_AUDIO',
      'INCOMPLETE_AUDIO',
      'TOO_SLOW',
      'BUSY',
      'TRACK_NOT_HELD',
      'DISK_FULL',
      'DISK_FAILED',
    ],
    rawBody: { mediaType: 'audio/wav' },
    async handle({ node, time, params, origin, request, reply, uploadPlaces }) {
      const incoming = {
        fileName: params.track!,
        uploadId: uploadId(request.headers, node.init.bootId),
        via: 'http',
        totalBytes: announcedBytes(request.headers),
        body: uploadedBytes(request.raw, time),
      } as const;
      const leave = uploadPlaces.take(request.ip);
      const { track, outcome } = await node.wishes.addTrack(incoming, origin).finally(leave);
      tellSlot(reply, outcome.slot);
      reply.code(201).header('location', `/api/v1/tracks/${track.id}`);
      return trackOf(track, node);
    },
  }),
  route({
    method: 'GET',
    path: '/tracks',
    summary: 'All tracks, in the same order on every node.',
    answer: { status: 200, description: 'The library.', json: TrackList },
    also: { 304: 'It is as it was under this ETag.' },
    query: ReadQuery,
    refuses: ['NO_QUORUM', 'NODE_REMOVED'],
    async handle(call) {
      const { node, request, reply } = call;
      await waitForConsistency(call);
      const { library } = node.cluster;
      const etag = `"${node.init.bootId.slice(0, 8)}-${library.rev}-${node.holdingsRev}"`;
      if (isKnown({ etag, cacheControl: 'no-cache' }, request, reply)) return reply.code(304).send();
      return { tracksRev: library.rev, tracks: library.list().map((track) => trackOf(track, node)) };
    },
  }),
  route({
    method: 'GET',
    path: '/tracks/:track',
    summary: 'One track, by id or title.',
    answer: { status: 200, description: 'The track.', json: TrackSchema },
    refuses: ['TRACK_NOT_FOUND', 'TRACK_NOT_READY'],
    handle: ({ node, params }) => trackOf(node.trackOf(params.track!), node),
  }),
  route({
    method: 'GET',
    path: '/tracks/:track/audio',
    summary:
      'The file as it was sent, whole or one range of it. Each chunk is compared with its hash: where one is wrong the connection is cut.',
    answer: { status: 200, description: 'The bytes.', mediaType: 'audio/wav' },
    also: { 206: 'The range that was asked for.', 304: 'The bytes do not change, and are known.' },
    refuses: ['TRACK_NOT_FOUND', 'TRACK_NOT_READY', 'TRACK_MISSING', 'TRACK_DAMAGED', 'BAD_RANGE', 'DISK_FAILED'],
    handle: audio,
  }),
  route({
    method: 'GET',
    path: '/tracks/:track/peaks',
    summary: 'The outline for a waveform: 2,048 bytes, the loudest sample of each stretch.',
    answer: { status: 200, description: 'The outline.', mediaType: 'application/octet-stream' },
    also: { 304: 'The outline does not change, and is known.' },
    refuses: ['TRACK_NOT_FOUND', 'TRACK_NOT_READY', 'TRACK_MISSING', 'TRACK_DAMAGED', 'DISK_FULL', 'DISK_FAILED'],
    async handle({ node, params, request, reply }) {
      const { id } = node.trackOf(params.track!);
      if (isKnown(foreverTag(id), request, reply)) return reply.code(304).send();
      return reply.type('application/octet-stream').send(Buffer.from(await node.peaks(id)));
    },
  }),
  routeWithBody(TitleBody, {
    method: 'PATCH',
    path: '/tracks/:track',
    summary: 'Give a track another title; one that is taken is made distinct.',
    answer: { status: 200, description: 'The track as it is now.', json: TrackSchema },
    refuses: ['TRACK_NOT_FOUND', 'TRACK_NOT_READY', 'BAD_NAME'],
    async handle({ node, params, body, origin, reply }) {
      if (/\p{Cs}/u.test(body.title)) throw new TuttiError('BAD_NAME', 'the title is not valid Unicode');
      const { trackId } = done(reply, await node.wishes.renameTrack(params.track!, body.title, origin));
      return trackOf(node.trackOf(trackId!), node);
    },
  }),
  route({
    method: 'DELETE',
    path: '/tracks/:track',
    summary: 'Take a track off every node; refused while it plays.',
    answer: { status: 200, description: 'Done.', json: Written },
    refuses: ['TRACK_NOT_FOUND', 'TRACK_NOT_READY', 'TRACK_PLAYING'],
    async handle({ node, params, origin, reply }) {
      return { slot: done(reply, await node.wishes.removeTrack(params.track!, origin)).slot };
    },
  }),
];

/** A track's bytes never change, so its id is their ETag. */
const foreverTag = (id: string) => ({ etag: `"${id}"`, cacheControl: 'public, max-age=31536000, immutable' });

async function audio({ node, params, request, reply }: Call<undefined>): Promise<unknown> {
  const track = node.trackOf(params.track!);
  const { id, bytes, title } = track;
  if (isKnown(foreverTag(id), request, reply)) return reply.code(304).send();
  const { range: wanted, 'if-range': ifRange } = request.headers;
  const range = ifRange === undefined || ifRange === `"${id}"` ? parseRange(wanted, bytes) : null;
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${bytes}`).header('cache-control', 'no-store');
    throw new TuttiError('BAD_RANGE', `the file has ${bytes} bytes, and ${wanted} asks for none of them`);
  }
  const { start, length } = range ?? { start: 0, length: bytes };
  // The first piece is read before anything is answered: what is missing or damaged can still be said.
  const first = await node.readTrack(track, start);
  if (range !== null) reply.code(206).header('content-range', `bytes ${start}-${start + length - 1}/${bytes}`);
  reply.headers({
    'accept-ranges': 'bytes',
    'content-length': length,
    'content-type': 'audio/wav',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(title)}.wav`,
  });
  return reply.send(Readable.from(pieces(node, track, start, length, first), { objectMode: false, highWaterMark: 0 }));
}

/** Chunk by chunk as the listener takes them: a slow one holds no more than one or two in memory. */
async function* pieces(node: Node, track: Track, start: number, length: number, first: Uint8Array) {
  let sent = 0;
  for (let piece = first; ; piece = await node.readTrack(track, start + sent)) {
    const wanted = piece.subarray(0, length - sent);
    yield wanted;
    sent += wanted.length;
    if (sent === length) return;
  }
}
