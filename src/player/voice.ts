/**
 * A voice: one uninterrupted sound on its way from the decks to the card.
 *
 * It reads frames from a deck, brings them to the card's channels and the agreed loudness, and resamples them to the card's rate. Songs
 * of one sample rate that follow one another are one stream for it, so that nothing marks the seam, whatever their channels. It
 * begins and ends in one of two ways: at a song's own first and last frame as they are, else under a fade of 5 ms.
 */
import { channelMatrix, isIdentity, mixChannels } from '../audio/channel-map.js';
import { FADE_MS, fadeFrames, fadeIn, fadeOut } from '../audio/fade.js';
import { losesBits } from '../audio/quantize.js';
import { Resampler } from '../audio/resampler.js';
import type { OutputChannels } from '../core/output-channels.js';
import type { Deck } from './deck.js';
import type { Decks } from './decks.js';
import type { ProgramSegment } from './program.js';

/** Frames that are taken from a deck at once. */
const READ_FRAMES = 1_024;
/** Channels of the widest file. */
const CHANNELS_MAX = 8;
/** What a deck must have beyond what is needed now: enough to fade out, should nothing more come. Milliseconds. */
const RESERVE_MS = 2 * FADE_MS;

/** The card, as far as a voice cares. */
export interface Card {
  readonly rate: number;
  readonly channels: number;
  readonly bits: number;
}

/** Where a voice finds its sound. */
export interface VoiceComponents {
  readonly decks: Decks;
  /** What follows a segment without a gap, if anything does. */
  readonly successorOf: (segment: ProgramSegment) => ProgramSegment | undefined;
}

/** A segment in the stream of a voice. */
interface Stretch {
  segment: ProgramSegment;
  /** Where frame 0 of the track is in the resampler's counting. */
  readonly base: number;
  /** Mixes to the card's channels, at the level of the segment; null where frames pass as they are. */
  readonly matrix: Float64Array | null;
  /** True where every sample that reaches the resampler stands in the file. */
  readonly isExact: boolean;
}

/**
 * One sound, from `start` until it is `done`; then it may be started again, which is why a renderer keeps its voices. Says when to fade and
 * how much it needs, and leaves to the renderer what begins when.
 */
export class Voice {
  /** The deck that it reads from; undefined once it needs none. */
  deck: Deck | undefined;
  readonly #decks: Decks;
  readonly #successorOf: VoiceComponents['successorOf'];
  readonly #card: Card;
  readonly #fadeFrames: number;
  /** By sample rate: making one computes its filter. */
  readonly #resamplers = new Map<number, Resampler>();
  #resampler!: Resampler;
  #channels: OutputChannels = 'stereo';
  /** What has been fed and not yet been heard to its end; the first one sounds. */
  readonly #stream: Stretch[] = [];
  /** The frame of the last stretch that is fed next. */
  #feedFrame = 0;
  /** True once silence was fed: nothing can follow in this stream. */
  #drained = false;
  #fadeInAt = 0;
  /** Frame of the fade-out that comes next; -1 while there is none. */
  #fadeOutAt = -1;
  /** Frames for which the filter still rings after the end; Infinity before. */
  #ringFrames = Number.POSITIVE_INFINITY;
  readonly #raw = new Float64Array(READ_FRAMES * CHANNELS_MAX);
  readonly #mixed: Float64Array;
  #fed = new Float64Array(0);
  #out = new Float64Array(0);

  constructor(components: VoiceComponents, card: Card) {
    this.#decks = components.decks;
    this.#successorOf = components.successorOf;
    this.#card = card;
    this.#fadeFrames = fadeFrames(card.rate);
    this.#mixed = new Float64Array(READ_FRAMES * card.channels);
  }

  /** The segment that sounds. */
  get segment(): ProgramSegment {
    return this.#stream[0]!.segment;
  }

  /** Frame of {@link segment} that the next output frame is at: fractional, negative ahead of its start. */
  get frame(): number {
    return this.#resampler.position - this.#stream[0]!.base;
  }

  /** True where the next segment is in the stream already. */
  get chained(): boolean {
    return this.#stream.length > 1;
  }

  /** True once it has nothing more to give. */
  get done(): boolean {
    return this.#fadeOutAt >= this.#fadeFrames || this.#ringFrames <= 0;
  }

  /** Works out the filter for a sample rate, which takes long enough to be heard in the middle of a block. */
  prepare(sampleRate: number): void {
    this.#resamplerFor(sampleRate);
  }

  /** Source frames per output frame while nothing is corrected. */
  nominalRatio(sampleRate: number): number {
    return sampleRate / this.#card.rate;
  }

  /** Output frames by which a stream of this rate may begin before its first frame, while the filter rings in. */
  leadIn(sampleRate: number): number {
    // One less than fits: a stream begins between two output frames, and one frame late or early is settled by then.
    return Math.floor(this.#resamplerFor(sampleRate).lookAhead / this.nominalRatio(sampleRate)) - 1;
  }

  /** True while the samples of the file pass as they are. */
  get isUntouched(): boolean {
    return this.#resampler.exact;
  }

  /** Frames that a deck must hold for a voice of this rate to begin or go on by `outputFrames` without running dry. */
  framesNeeded(sampleRate: number, outputFrames: number): number {
    const reserve = (this.#card.rate * RESERVE_MS) / 1_000;
    return (
      Math.ceil((outputFrames + reserve) * this.nominalRatio(sampleRate)) + this.#resamplerFor(sampleRate).lookAhead
    );
  }

  /**
   * Begins with the next frame of `deck`, which belongs to `segment`.
   * @param position frame of the track that the next output frame is at: fractional, ahead of the deck's by {@link Voice.leadIn} at most
   */
  start(segment: ProgramSegment, deck: Deck, position: number, channels: OutputChannels): void {
    const frame = deck.headFrame;
    this.deck = deck;
    this.#channels = channels;
    this.#resampler = this.#resamplerFor(segment.sampleRate);
    this.#resampler.setRatio(this.nominalRatio(segment.sampleRate));
    this.#resampler.reset(position, frame);
    this.#stream.length = 0;
    this.#append(segment, 0);
    this.#feedFrame = frame;
    this.#drained = false;
    this.#fadeInAt = frame === 0 ? this.#fadeFrames : 0;
    this.#fadeOutAt = -1;
    this.#ringFrames = Number.POSITIVE_INFINITY;
  }

  /** Takes a newer version of the segment that sounds: it may end elsewhere. */
  adopt(segment: ProgramSegment): void {
    this.#stream[0]!.segment = segment;
  }

  /** The sounding segment is over, the next one of the stream sounds. */
  advance(): void {
    this.#stream.shift();
  }

  /** Reads faster (above 0) or slower than nominal. */
  correct(ppm: number): void {
    this.#resampler.setRatio(this.nominalRatio(this.segment.sampleRate) * (1 + ppm / 1e6));
  }

  /** Fades out from the next output frame on. */
  leave(): void {
    if (this.#fadeOutAt === -1) this.#fadeOutAt = 0;
  }

  /** Ends at the song's own end: only what the filter still rings is to come. */
  ringOut(): void {
    this.deck = undefined;
    this.#drained = true;
    this.#ringFrames = Math.ceil(this.#resampler.lookAhead / this.#resampler.ratio);
  }

  /** Output frames up to the end of the sounding segment: fractional. */
  get framesLeft(): number {
    return (this.segment.frames - this.frame) / this.#resampler.ratio;
  }

  /** {@link framesLeft} to the nearest whole one. */
  framesToEnd(): number {
    return Math.ceil(this.framesLeft - 0.5 - 1e-6);
  }

  /** Output frames until a fade or the ringing ends: from there on its samples may be exact, or none. Infinity where there is neither. */
  framesToChange(): number {
    if (this.#fadeOutAt >= 0) return this.#fadeFrames - this.#fadeOutAt;
    if (this.#fadeInAt < this.#fadeFrames) return this.#fadeFrames - this.#fadeInAt;
    return this.#ringFrames;
  }

  /** True where the deck runs dry so soon that the fade-out has to begin now. */
  runsDry(outputFrames: number): boolean {
    if (this.deck === undefined || this.#drained) return false;
    const last = this.#stream.at(-1)!.segment;
    const rest = last.frames - this.#feedFrame;
    const needed = this.#resampler.inputFramesFor(outputFrames) + this.framesNeeded(last.sampleRate, 0);
    return (this.deck.isAt(last) ? this.deck.availableFrames() : 0) < Math.min(rest, needed);
  }

  /** Adds the next `frames` output frames to `mix`. True where they hold more bits than the card has, and dither is due. */
  render(mix: Float64Array, frames: number): boolean {
    const { channels, bits } = this.#card;
    const out = this.#outFor(frames);
    const { segment, isExact } = this.#stream[0]!;
    let touched = losesBits(segment.format.sample, !isExact || !this.#resampler.exact, bits);
    const fed = this.#feed(this.#resampler.inputFramesFor(frames));
    const made = this.#resampler.process(this.#fed, fed, out, frames);
    if (made < frames) {
      this.#drained = true;
      this.#resampler.drain(out, frames - made, made);
    }
    if (this.#fadeInAt < this.#fadeFrames) {
      fadeIn(out, channels, frames, this.#fadeInAt, this.#fadeFrames);
      this.#fadeInAt += frames;
      touched = true;
    }
    if (this.#fadeOutAt >= 0) {
      fadeOut(out, channels, frames, this.#fadeOutAt, this.#fadeFrames);
      this.#fadeOutAt += frames;
      touched = true;
    }
    this.#ringFrames -= frames;
    for (let i = 0; i < frames * channels; i++) mix[i]! += out[i]!;
    return touched;
  }

  /** Brings up to `wanted` frames into `#fed`, and gives how many there were. */
  #feed(wanted: number): number {
    const { channels } = this.#card;
    if (this.#fed.length < wanted * channels) this.#fed = new Float64Array(2 * wanted * channels);
    let fed = 0;
    while (fed < wanted && !this.#drained) {
      const { segment, matrix } = this.#stream.at(-1)!;
      if (this.#feedFrame >= segment.frames) {
        if (this.#chain()) continue;
        break;
      }
      if (!this.deck?.isAt(segment)) break;
      const frames = Math.min(wanted - fed, this.deck.availableFrames(), READ_FRAMES);
      if (frames === 0) break;
      this.deck.read(this.#raw, frames);
      this.#feedFrame += frames;
      let from: Float64Array = this.#raw;
      if (matrix !== null) {
        mixChannels(matrix, this.#raw, segment.format.channels, this.#mixed, channels, frames);
        from = this.#mixed;
      }
      for (let i = 0, to = fed * channels; i < frames * channels; i++, to++) this.#fed[to] = from[i]!;
      fed += frames;
    }
    return fed;
  }

  /** Goes on with what follows without a gap, where it has the same rate and its sound is there. */
  #chain(): boolean {
    const last = this.#stream.at(-1)!;
    const next = this.#successorOf(last.segment);
    if (next === undefined || next.sampleRate !== last.segment.sampleRate) return false;
    const deck = this.#decks.holding(next, 0);
    const enough = Math.min(next.frames, this.framesNeeded(next.sampleRate, 0));
    if (deck === undefined || deck.headFrame !== 0 || deck.availableFrames() < enough) return false;
    this.#append(next, last.base + last.segment.frames);
    this.#feedFrame = 0;
    this.deck = deck;
    return true;
  }

  #append(segment: ProgramSegment, base: number): void {
    const { format, levelGain } = segment;
    const matrix = channelMatrix(format.channels, format.channelMask, this.#card.channels, this.#channels);
    for (let i = 0; i < matrix.length; i++) matrix[i]! *= levelGain;
    const passes = isIdentity(matrix, format.channels, this.#card.channels);
    this.#stream.push({ segment, base, matrix: passes ? null : matrix, isExact: picks(matrix, format.channels) });
  }

  #resamplerFor(sampleRate: number): Resampler {
    let resampler = this.#resamplers.get(sampleRate);
    if (resampler === undefined) {
      resampler = new Resampler({ channels: this.#card.channels }, { ratio: this.nominalRatio(sampleRate) });
      this.#resamplers.set(sampleRate, resampler);
    }
    return resampler;
  }

  #outFor(frames: number): Float64Array {
    const samples = frames * this.#card.channels;
    if (this.#out.length < samples) this.#out = new Float64Array(samples);
    return this.#out;
  }
}

/** True where each output channel is one input channel, or silent: no sample is changed. */
function picks(matrix: Float64Array, inChannels: number): boolean {
  for (let row = 0; row < matrix.length; row += inChannels) {
    let sum = 0;
    for (let i = row; i < row + inChannels; i++) {
      if (matrix[i] !== 0 && matrix[i] !== 1) return false;
      sum += matrix[i]!;
    }
    if (sum > 1) return false;
  }
  return true;
}
