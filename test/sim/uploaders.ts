/** Uploaders: what people do with files: send them, also two at once and again after a removal, listen to them, and remove them. */
import type { Command } from '../../src/cluster/command.js';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';
import type { Prng } from '../../src/core/prng.js';
import type { Time } from '../../src/ports/time.js';
import type { Observation } from './checkers/observation.js';
import type { Machine } from './machine.js';
import { patiently } from './patience.js';
import { chance, pick } from './streams.js';
import { idOf, type Wav, wavOf } from './wavs.js';

/** An upload takes longer than a command: other nodes fetch the file first. Milliseconds. */
const PATIENCE_MS = 30_000;
/** How often a file is sent with one key. */
const ATTEMPTS_MAX = 4;
/** Files that people have. */
const ALL_WAVS: readonly Wav[] = Array.from({ length: 8 }, (_, number) => wavOf(number));
/** Part of the uploads that two people make of one file at once. */
const TWIN_SHARE = 0.2;
/** Part of the removals after which the file is sent again at once. */
const AT_ONCE_SHARE = 0.5;
/** What may go better the next time, and elsewhere. */
const AGAIN: ReadonlySet<ErrorCode> = new Set([
  'BUSY',
  'CARD_NOT_TRUSTED',
  'DISK_FAILED',
  'DISK_FULL',
  'NODE_REMOVED',
  'NODE_UNREACHABLE',
  'NO_QUORUM',
  'OUTCOME_UNKNOWN',
  'TRACK_NOT_HELD',
]);

/** What they work with. */
export interface UploadersComponents {
  /** True time. */
  readonly time: Time;
  readonly prng: Prng;
  /** Whom they may ask now. */
  machines(): readonly Machine[];
  observe(observation: Observation): void;
  trace(who: string, text: string): void;
  /** Somebody begins to send a file there. */
  uploading(machine: Machine): void;
  /** Asks for a command as any client does. */
  ask(who: string, command: Command): Promise<void>;
}

/** People with files. */
export class Uploaders {
  /** Files that were sent and answered. */
  uploads = 0;
  /** Tracks that were heard, all of them. */
  heard = 0;
  readonly #parts: UploadersComponents;
  #sent = 0;

  constructor(components: UploadersComponents) {
    this.#parts = components;
  }

  /** Does something at one of the machines. */
  async act(who: string): Promise<void> {
    const { prng, machines, ask } = this.#parts;
    const machine = pick(prng, machines());
    const tracks = machine.state?.library.list() ?? [];
    const draw = prng.below(10);
    if (draw < 3 && tracks.length > 0) {
      this.#listen(who, machine);
    } else if (draw < 5 && tracks.length > 1) {
      const { id } = pick(prng, tracks);
      await ask(who, { type: 'track.remove', trackId: id });
      // A slip of the hand: the files are on their way out everywhere when it comes again.
      if (chance(prng, AT_ONCE_SHARE)) await this.#send(who, ALL_WAVS.find((wav) => wav.id === id)!);
    } else {
      const wav = pick(prng, ALL_WAVS);
      const twins = chance(prng, TWIN_SHARE) ? [who, `${who}'`] : [who];
      await Promise.all(twins.map((each) => this.#send(each, wav)));
    }
  }

  #listen(who: string, machine: Machine): void {
    const { prng, observe, trace } = this.#parts;
    const track = pick(prng, machine.state!.library.list());
    const heard = machine.listen(track);
    const process = machine.processId;
    if (heard === null || process === null) return;
    trace(who, `hears ${track.title} at ${machine.name}`);
    this.heard++;
    observe({ type: 'seen', process, how: 'plays', track: track.id, found: idOf(heard) });
  }

  /** Sends a file to some node, and where that comes to nothing again with the same key to another. */
  async #send(who: string, { id, fileName, bytes }: Wav): Promise<void> {
    const { time, prng, machines, trace, observe, uploading } = this.#parts;
    const key = `${who}-file-${this.#sent++}`;
    let firstSentNs: bigint | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const up = machines();
      if (up.length === 0) return;
      const machine = pick(prng, up);
      firstSentNs ??= machine.clock()?.clusterNs;
      trace(who, `sends ${fileName} to ${machine.name} (${key}, attempt ${attempt})`);
      uploading(machine);
      const body = inPieces(bytes, 1 + prng.below(bytes.length));
      const incoming = {
        fileName,
        uploadId: `${key}-${attempt}`,
        via: 'http' as const,
        totalBytes: bytes.length,
        body,
      };
      const origin = { node: machine.identity!.node, via: 'api' as const, key, firstSentNs: firstSentNs ?? 0n };
      const answer = await patiently(time, PATIENCE_MS, machine.addTrack(incoming, origin));
      const said = answer === null ? 'no answer' : answer instanceof TuttiError ? answer.message : `slot ${answer}`;
      trace(who, `${key}: ${said}`);
      if (typeof answer === 'number') {
        this.uploads++;
        observe({ type: 'uploaded', track: id, slot: answer });
        return;
      }
      if (answer !== null && !AGAIN.has(answer.code)) return;
    }
  }
}

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
