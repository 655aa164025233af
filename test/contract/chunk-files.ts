/** What every ChunkFiles keeps. */
import type { Test } from 'tap';
import { type TrackId, trackId } from '../../src/core/ids.js';
import type { ChunkFiles } from '../../src/tracks/chunk-files.js';
import { allChunks, countChunks, hasChunk } from '../../src/tracks/chunk-set.js';
import { type ChunkedFile, type ChunkedFileInit, chunkedFile } from '../support/chunked-file.js';
import { rejectionOf } from './support.js';

export interface ChunkFilesSetup {
  readonly files: ChunkFiles;
  /** Size of chunk in these tests, bytes: a power of two that the files can be cut by. */
  readonly chunkBytes: number;
  /** Turns a bit of a chunk over on the medium, of a file that is held or arriving. */
  damage(id: TrackId, index: number): void | Promise<void>;
  /** From now on there is no room, or (false) there is again. */
  setFull(isFull: boolean): void | Promise<void>;
  /** Ends the process, and gives the files of the next one on the same medium. */
  restart(): ChunkFiles | Promise<ChunkFiles>;
}

const NOBODY = trackId('0'.repeat(64));

export const runChunkFilesContract = (
  t: Test,
  name: string,
  setup: (t: Test) => ChunkFilesSetup | Promise<ChunkFilesSetup>,
): Promise<unknown> =>
  t.test(`${name} keeps the contract of ChunkFiles`, async (t) => {
    let seeds = 0;
    /** Four chunks and a bit. */
    const newFile = ({ chunkBytes }: ChunkFilesSetup, init: Partial<ChunkedFileInit> = {}): ChunkedFile =>
      chunkedFile({ seed: ++seeds, chunkBytes, bytes: 4 * chunkBytes + 100, ...init });

    const begin = (files: ChunkFiles, { track, outline, plan }: ChunkedFile) =>
      files.beginFetch(track, outline, plan.chunkBytes);

    const put = async (files: ChunkFiles, file: ChunkedFile, ...indexes: readonly number[]) => {
      for (const index of indexes) await files.putChunk(file.track.id, index, file.chunk(index));
    };

    /** A file that is in its place. */
    const hold = async (files: ChunkFiles, file: ChunkedFile) => {
      await begin(files, file);
      await put(files, file, 0, 1, 2, 3, 4);
      await files.finishFetch(file.track.id);
    };

    /** Compared as text: what differs is not to fill the screen. */
    const isRight = async (t: Test, files: ChunkFiles, file: ChunkedFile, ...indexes: readonly number[]) => {
      const { id } = file.track;
      for (const index of indexes) {
        const found = await files.readChunk(id, index);
        t.ok(Buffer.from(file.chunk(index)).equals(found), `chunk ${index}`);
      }
      const { manifest, peaks } = await files.outline(id);
      t.same([...manifest], [...file.outline.manifest]);
      t.same([...peaks!], [...file.outline.peaks!]);
    };

    const isGone = async (t: Test, files: ChunkFiles, { track }: ChunkedFile) => {
      t.equal(await rejectionOf(files.outline(track.id)), 'TRACK_MISSING');
      t.equal(await rejectionOf(files.readChunk(track.id, 0)), 'TRACK_MISSING');
      t.equal(await rejectionOf(files.putChunk(track.id, 0, new Uint8Array(1))), 'TRACK_MISSING');
    };

    await t.test('a file comes in chunk by chunk, in any order, and has its place', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      t.equal(countChunks(await begin(files, file)), 0);
      await put(files, file, 4, 0, 2);
      await isRight(t, files, file, 0, 2, 4);
      t.equal(await rejectionOf(files.readChunk(file.track.id, 1)), 'TRACK_MISSING', 'not here yet');
      await put(files, file, 1, 3);
      await files.finishFetch(file.track.id);
      await isRight(t, files, file, 0, 1, 2, 3, 4);
      await isRight(t, await made.restart(), file, 0, 1, 2, 3, 4);
    });

    await t.test('a file of one chunk, and one of whole chunks, are files too', async (t) => {
      const made = await setup(t);
      const { files, chunkBytes } = made;
      for (const bytes of [1, chunkBytes, 2 * chunkBytes]) {
        const file = newFile(made, { bytes });
        await begin(files, file);
        const indexes = Array.from({ length: file.plan.count }, (_, index) => index);
        await put(files, file, ...indexes);
        await files.finishFetch(file.track.id);
        await isRight(t, files, file, ...indexes);
      }
    });

    await t.test('two files come in side by side', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const [one, other] = [newFile(made), newFile(made)];
      await begin(files, one);
      await begin(files, other);
      for (const index of [0, 1, 2, 3, 4]) {
        await put(files, one, index);
        await put(files, other, 4 - index);
      }
      await files.finishFetch(one.track.id);
      await isRight(t, files, other, 0, 4);
      await files.finishFetch(other.track.id);
      for (const file of [one, other]) await isRight(t, files, file, 0, 1, 2, 3, 4);
    });

    await t.test('a manifest that is not the agreed one is refused, and nothing arrives', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const [file, other] = [newFile(made), newFile(made)];
      const { track, outline, plan } = file;
      t.equal(await rejectionOf(files.beginFetch(track, other.outline, plan.chunkBytes)), 'BAD_CHUNK');
      const short = { ...outline, manifest: outline.manifest.subarray(32) };
      t.equal(await rejectionOf(files.beginFetch(track, short, plan.chunkBytes)), 'BAD_CHUNK');
      const { chunks: _, ...unagreed } = track;
      t.equal(await rejectionOf(files.beginFetch(unagreed, short, plan.chunkBytes)), 'BAD_CHUNK', 'nor one too short');
      await isGone(t, files, file);
    });

    await t.test('a chunk that is not what its hash says is not kept, and the right one is', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      const { id } = file.track;
      await begin(files, file);
      const bad = file.chunk(1);
      bad[7] = bad[7]! ^ 0x10;
      t.equal(await rejectionOf(files.putChunk(id, 1, bad)), 'BAD_CHUNK');
      t.equal(await rejectionOf(files.putChunk(id, 1, file.chunk(2))), 'BAD_CHUNK');
      t.equal(await rejectionOf(files.putChunk(id, 1, file.chunk(1).subarray(1))), 'BAD_CHUNK');
      t.equal(await rejectionOf(files.putChunk(id, 4, file.chunk(3))), 'BAD_CHUNK', 'the last one is shorter');
      t.equal(await rejectionOf(files.readChunk(id, 1)), 'TRACK_MISSING');
      await put(files, file, 1);
      await isRight(t, files, file, 1);
    });

    await t.test('what is not here is missing', async (t) => {
      const { files } = await setup(t);
      t.equal(await rejectionOf(files.outline(NOBODY)), 'TRACK_MISSING');
      t.equal(await rejectionOf(files.readChunk(NOBODY, 0)), 'TRACK_MISSING');
      t.equal(await rejectionOf(files.putChunk(NOBODY, 0, Uint8Array.of(1))), 'TRACK_MISSING');
      t.equal(await rejectionOf(files.quarantine(NOBODY, null)), 'TRACK_MISSING');
      await files.dropFetch(NOBODY);
    });

    await t.test('after a restart a file goes on with what is here and right', async (t) => {
      const made = await setup(t);
      const file = newFile(made);
      await begin(made.files, file);
      await put(made.files, file, 0, 2, 3);
      await made.damage(file.track.id, 2);
      const files = await made.restart();
      const found = await begin(files, file);
      t.same(
        [0, 1, 2, 3, 4].map((index) => hasChunk(found, index)),
        [true, false, false, true, false],
      );
      await put(files, file, 1, 2, 4);
      await files.finishFetch(file.track.id);
      await isRight(t, files, file, 0, 1, 2, 3, 4);
    });

    await t.test('to begin a file twice is to go on with it', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      await begin(files, file);
      await put(files, file, 1);
      t.same([...(await begin(files, file))], [2]);
      await put(files, file, 0, 2, 3, 4);
      await files.finishFetch(file.track.id);
      await isRight(t, files, file, 0, 4);
    });

    await t.test('a file that rots before it is whole never gets its place', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      await begin(files, file);
      await put(files, file, 0, 1, 2, 3, 4);
      await made.damage(file.track.id, 3);
      t.equal(await rejectionOf(files.finishFetch(file.track.id)), 'TRACK_DAMAGED');
      const found = await begin(files, file);
      t.same(
        [0, 1, 2, 3, 4].map((index) => hasChunk(found, index)),
        [true, true, true, false, true],
        'what is right of it stays',
      );
      await put(files, file, 3);
      await files.finishFetch(file.track.id);
      await isRight(t, files, file, 3);
    });

    await t.test('a chunk that rots is not given to anybody', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const [arriving, held] = [newFile(made), newFile(made)];
      await begin(files, arriving);
      await put(files, arriving, 1, 2);
      await hold(files, held);
      for (const { track } of [arriving, held]) {
        await made.damage(track.id, 2);
        t.equal(await rejectionOf(files.readChunk(track.id, 2)), 'TRACK_DAMAGED');
      }
      await isRight(t, files, arriving, 1);
      await isRight(t, files, held, 1, 3);
      t.equal(await rejectionOf(files.readChunk(arriving.track.id, 2)), 'TRACK_MISSING', 'and is missing');
      t.same([...(await begin(files, arriving))], [2]);
      await put(files, arriving, 2);
      await isRight(t, files, arriving, 2);
    });

    await t.test('to fetch what is held is to have it', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      await hold(files, file);
      t.same([...(await begin(files, file))], [...allChunks(5)]);
      await files.finishFetch(file.track.id);
      await files.dropFetch(file.track.id);
      await isRight(t, files, file, 0, 4);
    });

    await t.test('a file has its place only when all of it is here', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      await begin(files, file);
      await put(files, file, 0, 1, 3, 4);
      t.equal(await rejectionOf(files.finishFetch(file.track.id)), 'TRACK_MISSING');
      await put(files, file, 2, 2);
      await files.finishFetch(file.track.id);
      await isRight(t, files, file, 2);
      t.equal(await rejectionOf(files.readChunk(file.track.id, 5)), 'TRACK_MISSING', 'it has five chunks');
    });

    await t.test('chunks by a manifest that lies make no file', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const [file, other] = [newFile(made, { hasRoot: false }), newFile(made)];
      const { id } = file.track;
      // Nothing is agreed of its chunks: the manifest of another file is believed, as long as it lasts.
      await files.beginFetch(file.track, other.outline, file.plan.chunkBytes);
      for (const index of [0, 1, 2, 3, 4]) await files.putChunk(id, index, other.chunk(index));
      t.equal(await rejectionOf(files.finishFetch(id)), 'BAD_CHUNK');
      await isGone(t, files, file);
      await hold(files, file);
      await isRight(t, files, file, 0);
    });

    await t.test('what is given up is gone, and what is held stays', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const [file, held] = [newFile(made), newFile(made)];
      await hold(files, held);
      await begin(files, file);
      await put(files, file, 1);
      for (const { track } of [file, file, held]) await files.dropFetch(track.id);
      await isGone(t, files, file);
      await isRight(t, files, held, 0);
      t.equal(countChunks(await begin(files, file)), 0, 'it begins anew');
    });

    await t.test('calls are done in the order in which they were made', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      const { id } = file.track;
      const all = [
        begin(files, file),
        files.putChunk(id, 0, file.chunk(0)),
        files.readChunk(id, 0),
        files.dropFetch(id),
        begin(files, file),
      ] as const;
      const [, , read, , found] = await Promise.all(all);
      t.ok(Buffer.from(file.chunk(0)).equals(read));
      t.equal(countChunks(found), 0);
    });

    await t.test('of a damaged file only what is damaged comes anew', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      const { id } = file.track;
      await hold(files, file);
      await made.damage(id, 1);
      await made.damage(id, 4);
      const good = await files.quarantine(id, null);
      t.same(
        [0, 1, 2, 3, 4].map((index) => hasChunk(good, index)),
        [true, false, true, true, false],
      );
      t.equal(await rejectionOf(files.readChunk(id, 1)), 'TRACK_MISSING');
      t.equal(await rejectionOf(files.quarantine(id, null)), 'TRACK_MISSING', 'it is not held any more');
      await isRight(t, files, file, 0, 2, 3);
      await put(files, file, 1, 4);
      await files.finishFetch(id);
      await isRight(t, files, file, 0, 1, 2, 3, 4);
    });

    await t.test('a file that was suspected in vain has its place again at once', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const file = newFile(made);
      await hold(files, file);
      t.same([...(await files.quarantine(file.track.id, file.track))], [...allChunks(5)]);
      await files.finishFetch(file.track.id);
      await isRight(t, files, file, 0, 4);
      t.equal(countChunks(await files.quarantine(file.track.id, file.track)), 5);
    });

    await t.test('a damaged file goes on being one that arrives after a restart', async (t) => {
      const made = await setup(t);
      const file = newFile(made);
      const { id } = file.track;
      await hold(made.files, file);
      await made.damage(id, 2);
      await made.files.quarantine(id, null);
      const files = await made.restart();
      t.equal(countChunks(await begin(files, file)), 4);
      await put(files, file, 2);
      await files.finishFetch(id);
      await isRight(t, files, file, 2);
    });

    await t.test('a full disk refuses what begins, and takes it when there is room', async (t) => {
      const made = await setup(t);
      const { files } = made;
      const [file, late] = [newFile(made), newFile(made)];
      await begin(files, file);
      await put(files, file, 0);
      await made.setFull(true);
      t.equal(await rejectionOf(begin(files, late).then(() => put(files, late, 0))), 'DISK_FULL');
      await isRight(t, files, file, 0);
      await made.setFull(false);
      await put(files, file, 1, 2, 3, 4);
      await files.finishFetch(file.track.id);
      await hold(files, late);
      for (const one of [file, late]) await isRight(t, files, one, 0, 4);
    });
  });
