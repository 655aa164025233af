/**
 * The renderer: given when the next frame will sound, which numbers must it carry?
 *
 * No clock and no card here: the loop around it says at which instant of the timeline a block begins, and gets the block. Inside a block
 * it goes from event to event (a start, a cut, the end of a song), each on the card frame nearest to its instant, so that
 * everything between two events is plain copying. What begins there is read from between two of its frames, so that its place in
 * time is exact though the card's grid is not: rooms whose grids differ start together. Only on a card that keeps perfect time, at the
 * rate of the file, is it read from a whole frame, and every sample passes as it is. A song that follows another begins where that one
 * ends; its place in time then differs from the timeline's by what the servo had left over, never by a gap.
 *
 * What a start finds in its deck decides how it sounds:
 * - its very first frame, in time: as it is, no fade;
 * - a later frame (seek, resume): under a fade of 5 ms;
 * - the deck is empty, or the program came late: silence, then the frame that is due by then, under a fade. That is counted (`late`).
 */
import { GainRamp } from '../audio/gain.js';
import { Dither, quantize } from '../audio/quantize.js';
import { NOMINAL_PACE, type Pace, Servo } from '../audio/servo.js';
import type { OutputChannels } from '../core/output-channels.js';
import type { ClusterTime } from '../core/units.js';
import type { Deck } from './deck.js';
import type { Decks } from './decks.js';
import type { GainChange, ProgramSegment } from './program.js';
import { followsGapless, frameDueAt, isSameSegment, isSameSound } from './schedule.js';
import { type Card, Voice } from './voice.js';

/** A start this little behind is made up for by the servo: two readings of the card's clock may differ by that much. Output frames. */
const ON_TIME_FRAMES = 2;
/**
 * How often it is tried, near the end of a song, whether the next one can ring in: both may share a deck, which comes to the next one
 * only when the last frame is in the filter. Output frames.
 */
const RING_IN_RETRY_FRAMES = 4;
/** One that sounds, one that rings in, one that fades out. */
const VOICES = 3;

/** The part of a program that the renderer plays by. */
export interface Score {
  readonly segments: readonly ProgramSegment[];
  readonly gains: readonly GainChange[];
  readonly channels: OutputChannels;
}

const SILENCE: Score = { segments: [], gains: [], channels: 'stereo' };

/** What does not change as long as the card is open: one that is opened anew gets a new renderer. */
export interface RendererInit {
  readonly card: Card;
  /** Seed of the dither. */
  readonly seed: number;
}

/** How often something was heard that should not be; counted since the renderer was made. */
export interface RendererCounts {
  /** Starts that came after their instant, and sounds that broke off because the reader was late. */
  late: number;
  /** Positions set anew. */
  snaps: number;
  /** Samples beyond full scale. */
  clipped: number;
}

/** Works out what one open card has to carry, block after block, on the player's thread. Touches no clock and no disk. */
export class Renderer {
  readonly counts: RendererCounts = { late: 0, snaps: 0, clipped: 0 };
  readonly #decks: Decks;
  readonly #card: Card;
  readonly #servo: Servo;
  readonly #voices: readonly Voice[];
  readonly #dither: Dither;
  #gain: GainRamp | undefined;
  /** Where the gain is or is going. */
  #gainTarget = 1;
  #score: Score = SILENCE;
  /** What sounds now. */
  #current: Voice | undefined;
  /** What follows it at another rate, while its filter rings in. */
  #incoming: Voice | undefined;
  /** What fades or rings out. */
  #outgoing: Voice | undefined;
  /** The segment that was over last: not to be begun again, should its end seem to lie ahead by a frame. */
  #ended: ProgramSegment | undefined;
  /** The segment whose lateness is counted, or excused by a snap. */
  #lateSegment: ProgramSegment | undefined;
  /** The block at hand: instant of its first frame, how the card runs, and whether what is silent may begin. */
  #blockAt = 0n as ClusterTime;
  #pace = NOMINAL_PACE;
  #mayBegin = true;
  #renderedFrames = 0;
  #mix = new Float64Array(0);
  #samples = new Int32Array(0);

  constructor(components: { readonly decks: Decks }, init: RendererInit) {
    const { card } = init;
    this.#decks = components.decks;
    this.#card = card;
    this.#servo = new Servo(card.rate);
    this.#dither = new Dither(init.seed);
    const successorOf = (segment: ProgramSegment) => this.#successorOf(segment);
    this.#voices = Array.from({ length: VOICES }, () => new Voice({ decks: this.#decks, successorOf }, card));
  }

  /** The segment that sounds, if one does. */
  get sounding(): ProgramSegment | undefined {
    return this.#current?.segment;
  }

  /** Frame of {@link sounding} that the next block begins with; 0 where nothing sounds. */
  get frame(): number {
    return Math.max(0, Math.round(this.#current?.frame ?? 0));
  }

  /** True while nothing at all is to be heard, no fade either. */
  get silent(): boolean {
    return this.#current === undefined && this.#outgoing === undefined;
  }

  /** Averaged distance from the timeline, positive where the sound is ahead. Microseconds. */
  get errorUs(): number {
    return this.#current === undefined ? 0 : this.#servo.errorUs;
  }

  /** By how much faster than nominal what sounds is read now, parts per million. */
  get correctionPpm(): number {
    return this.#current === undefined ? 0 : this.#servo.correctionPpm;
  }

  /** What to play from the next block on. */
  setScore(score: Score): void {
    // Other channels at once would click: what sounds fades out, and joins again as it is now wanted.
    if (score.channels !== this.#score.channels && this.#current !== undefined) {
      this.#lateSegment = this.#current.segment;
      this.#dismiss();
    }
    this.#score = score;
    // Voices share what is costly about a filter: one that has it made is enough.
    for (const { sampleRate } of score.segments) this.#voices[0]!.prepare(sampleRate);
    // The reader need not wait for the next block.
    if (this.#renderedFrames > 0) this.#plan();
  }

  /** The card ran dry: what sounded broke off, and joins again where it is due. */
  interrupted(): void {
    if (this.#current !== undefined) {
      this.counts.snaps += 1;
      this.#lateSegment = this.#current.segment;
    }
    this.#current = undefined;
    this.#incoming = undefined;
    this.#outgoing = undefined;
  }

  /**
   * Gives the next `frames` frames, interleaved, in the card's bits; valid until the next call.
   * @param at instant of the timeline at which the first of them will be heard
   * @param pace how the card runs from there
   * @param mayBegin false: what is silent stays so, what sounds goes on
   */
  render(at: ClusterTime, frames: number, pace: Pace = NOMINAL_PACE, mayBegin = true): Int32Array {
    const { channels } = this.#card;
    if (this.#mix.length < frames * channels) this.#mix = new Float64Array(frames * channels);
    if (this.#samples.length < frames * channels) this.#samples = new Int32Array(frames * channels);
    this.#blockAt = at;
    this.#pace = pace;
    this.#mayBegin = mayBegin;
    this.#plan();
    this.#steer(frames);
    this.#scheduleGains(frames);
    for (let i = 0; i < frames; ) {
      const end = this.#changeAt(i, frames);
      this.#sound(i, end - i);
      i = end;
    }
    return this.#samples;
  }

  /** Compares what sounds with the timeline, once a block. */
  #steer(frames: number): void {
    const voice = this.#current;
    if (voice === undefined) return;
    const { segment } = voice;
    const errorUs = ((voice.frame - frameDueAt(segment, this.#blockAt)) / segment.sampleRate) * 1e6;
    const verdict = this.#servo.update(errorUs, frames / this.#card.rate, this.#pace, voice.isUntouched);
    if (verdict === 'snap') {
      this.counts.snaps += 1;
      this.#lateSegment = segment;
      this.#dismiss();
    } else {
      voice.correct(this.#servo.correctionPpm);
    }
  }

  /** Makes the changes that are due at frame `i` of the block; gives the frame before which there is no other one, at most `end`. */
  #changeAt(i: number, end: number): number {
    let until = this.#continueCurrent(i, end);
    if (this.#current === undefined) until = this.#begin(i, until);
    else until = this.#ringInNext(i, until);
    const fading = Math.min(this.#current?.framesToChange() ?? until, this.#outgoing?.framesToChange() ?? until);
    return Math.min(until, i + Math.max(1, fading));
  }

  /** Lets what sounds go on, or ends it; gives the frame up to which it is settled. */
  #continueCurrent(i: number, end: number): number {
    while (this.#current !== undefined) {
      const voice = this.#current;
      const segment = this.#segmentOf(voice, i);
      if (segment === undefined) break;
      voice.adopt(segment);
      const cut = segment.complete ? Number.POSITIVE_INFINITY : this.#indexOf(segment.endAt);
      const over = i + voice.framesToEnd();
      if (cut <= i) {
        this.#ended = segment;
        break;
      }
      if (over > i) {
        const until = this.#fedUntil(voice, i, Math.min(end, cut, over));
        if (until > i) return until;
        this.counts.late += 1;
        this.#lateSegment = segment;
        break;
      }
      this.#ended = segment;
      if (voice.chained) {
        voice.advance();
      } else {
        voice.ringOut();
        this.#outgoing = voice;
        this.#current = this.#incoming;
        this.#incoming = undefined;
        if (this.#current === undefined && this.#startFollowing(voice)) return this.#continueCurrent(i, end);
      }
    }
    this.#dismiss();
    return end;
  }

  /** Up to which frame `voice` can go on before it has to fade out for lack of sound: `end` if the reader is in time, `i` for not at all. */
  #fedUntil(voice: Voice, i: number, end: number): number {
    let frames = end - i;
    while (frames > 0 && voice.runsDry(frames)) frames >>= 1;
    return i + frames;
  }

  /** What the program says of the sound of `voice`. Of two such segments (a seek to where it was) the later one counts once it has begun. */
  #segmentOf(voice: Voice, i: number): ProgramSegment | undefined {
    let found: ProgramSegment | undefined;
    for (const segment of this.#score.segments) {
      if (!isSameSound(segment, voice.segment)) continue;
      if (found === undefined || this.#indexOf(segment.startAt) <= i) found = segment;
    }
    return found;
  }

  /** Lets the current voice fade out; an older fade that is not over gives way. */
  #dismiss(): void {
    if (this.#current === undefined) return;
    this.#current.leave();
    this.#outgoing = this.#current;
    this.#current = undefined;
    this.#incoming = undefined;
  }

  /** Begins what follows the sound of `voice` without a gap on this very frame. */
  #startFollowing(voice: Voice): boolean {
    const next = this.#successorOf(voice.segment);
    const deck = next === undefined ? undefined : this.#decks.holding(next, 0);
    if (next === undefined || deck?.headFrame !== 0 || !this.#canStart(next, deck, 0)) return false;
    // Where the old one ends between two frames, there the new one begins.
    const ahead = this.#passesUntouched(next) ? 0 : voice.framesLeft;
    this.#current = this.#start(next, deck, -ahead * voice.nominalRatio(next.sampleRate));
    return true;
  }

  /** Has what follows at another rate ring in ahead of the end of what sounds. Gives the next frame at which to look again. */
  #ringInNext(i: number, end: number): number {
    const voice = this.#current!;
    if (this.#incoming !== undefined || voice.chained) return end;
    const next = this.#successorOf(voice.segment);
    if (next === undefined || next.sampleRate === voice.segment.sampleRate) return end;
    const over = i + voice.framesToEnd();
    const begin = over - this.#leadIn(next);
    if (begin > i) return Math.min(end, begin);
    const deck = this.#decks.holding(next, 0);
    if (over > i && deck === undefined) return Math.min(end, i + RING_IN_RETRY_FRAMES);
    if (over > i && deck?.headFrame === 0 && this.#canStart(next, deck, 0)) {
      const ahead = this.#passesUntouched(next) ? over - i : voice.framesLeft;
      this.#incoming = this.#start(next, deck, -ahead * voice.nominalRatio(next.sampleRate));
    }
    return end;
  }

  /** Begins what is due at frame `i`, if anything is. Gives the next frame at which to look again. */
  #begin(i: number, end: number): number {
    const segment = this.#score.segments.find(
      (each) => this.#indexOf(each.endAt) > i && (this.#ended === undefined || !isSameSegment(each, this.#ended)),
    );
    if (segment === undefined || !this.#mayBegin) return end;
    const due = this.#frameDueAt(segment, i);
    const deck = this.#decks.holding(segment, Math.max(due, segment.startFrame));
    if (deck === undefined || this.#isInUse(deck)) return this.#wait(segment, i, end);
    const { headFrame } = deck;
    // The deck's next frame is the first one that can sound: output frames until its instant, and when this voice may begin.
    const ratio = this.#ratioNow(segment);
    const ahead = Math.round((headFrame - due) / ratio);
    const leadIn = headFrame === 0 ? this.#leadIn(segment) : 0;
    if (ahead > leadIn) return Math.min(this.#wait(segment, i, end), i + ahead - leadIn);
    // Of a sound that is joined in its middle no frame needs to be kept.
    const isLate = ahead < (headFrame === segment.startFrame ? -ON_TIME_FRAMES : 0);
    const isWhole = this.#passesUntouched(segment);
    const target = isWhole ? Math.round(due) : due;
    const skip = isLate ? Math.floor(target) - headFrame : 0;
    if (!this.#canStart(segment, deck, skip)) return this.#wait(segment, i, end);
    if (this.#indexOf(segment.startAt) < i - ON_TIME_FRAMES) this.#countLate(segment);
    deck.skip(skip);
    // A whole start that is a frame late loses no frame: that much is left alone, or made up for by the servo.
    this.#current = this.#start(segment, deck, isWhole && !isLate ? headFrame : target);
    this.#servo.reset();
    return this.#changeAt(i, end);
  }

  /** True where samples of `segment` may pass as they are: the card's rate is the file's, to the last millionth. */
  #passesUntouched(segment: ProgramSegment): boolean {
    return this.#pace.isNominal && segment.sampleRate === this.#card.rate;
  }

  /** Output frames by which `segment` begins to ring in before its first frame. */
  #leadIn(segment: ProgramSegment): number {
    return this.#passesUntouched(segment) ? 0 : this.#voices[0]!.leadIn(segment.sampleRate);
  }

  /** `segment` cannot begin at frame `i`: counted if it should have. Gives the next frame at which to look again. */
  #wait(segment: ProgramSegment, i: number, end: number): number {
    const start = this.#indexOf(segment.startAt);
    if (start > i) return Math.min(end, start);
    this.#countLate(segment);
    // What comes after it begins in time, whatever became of it.
    return Math.min(end, Math.max(i + 1, this.#indexOf(segment.endAt)));
  }

  #countLate(segment: ProgramSegment): void {
    if (this.#lateSegment !== undefined && isSameSound(this.#lateSegment, segment)) return;
    this.#lateSegment = segment;
    this.counts.late += 1;
  }

  #canStart(segment: ProgramSegment, deck: Deck, skip: number): boolean {
    if (skip < 0 || deck.headFrame + skip >= segment.frames) return false;
    const needed = skip + this.#voices[0]!.framesNeeded(segment.sampleRate, 0);
    return deck.availableFrames() >= Math.min(needed, segment.frames - deck.headFrame);
  }

  #start(segment: ProgramSegment, deck: Deck, position: number): Voice {
    const voice = this.#voices.find(
      (each) => each !== this.#current && each !== this.#incoming && each !== this.#outgoing,
    )!;
    voice.start(segment, deck, position, this.#score.channels);
    voice.correct((1 / (1 + this.#pace.ppm / 1e6) - 1) * 1e6);
    return voice;
  }

  /** Renders `frames` frames of all voices to the block, from frame `i` on; nothing begins or ends among them. */
  #sound(i: number, frames: number): void {
    const { channels, bits } = this.#card;
    if (this.silent) {
      // A card that runs on silence does so for hours: that must cost next to nothing.
      this.#gain?.pass(frames, this.#renderedFrames);
      this.#samples.fill(0, i * channels, (i + frames) * channels);
      this.#renderedFrames += frames;
      return;
    }
    this.#mix.fill(0, 0, frames * channels);
    let touched = false;
    if (this.#current?.render(this.#mix, frames)) touched = true;
    if (this.#incoming?.render(this.#mix, frames)) touched = true;
    if (this.#outgoing?.render(this.#mix, frames)) touched = true;
    if (this.#outgoing?.done) this.#outgoing = undefined;
    if (this.#gain?.apply(this.#mix, channels, frames, this.#renderedFrames) && !this.#isSilence(frames))
      touched = true;
    const into = i === 0 ? this.#samples : this.#samples.subarray(i * channels);
    this.counts.clipped += quantize(this.#mix, into, frames * channels, bits, touched ? this.#dither : null);
    this.#renderedFrames += frames;
  }

  /** True where all of the first `frames` frames are 0: they need no dither. */
  #isSilence(frames: number): boolean {
    for (let i = 0; i < frames * this.#card.channels; i++) if (this.#mix[i] !== 0) return false;
    return true;
  }

  /** Has the volume move to what holds at the start of the block and to what comes within it. */
  #scheduleGains(frames: number): void {
    const { gains } = this.#score;
    let inForce = gains[0];
    for (const change of gains) {
      if (this.#indexOf(change.at) <= 0) inForce = change;
    }
    if (inForce !== undefined) this.#rampTo(inForce, 0);
    for (const change of gains) {
      const index = this.#indexOf(change.at);
      if (change.at > inForce!.at && index < frames) this.#rampTo(change, index);
    }
  }

  #rampTo(change: GainChange, index: number): void {
    if (this.#gain === undefined) {
      // A volume that holds since before the card was opened needs no ramp.
      this.#gain = new GainRamp(this.#card.rate, change.gain);
    } else if (change.gain !== this.#gainTarget) {
      this.#gain.setTarget(change.gain, this.#renderedFrames + index);
    }
    this.#gainTarget = change.gain;
  }

  #plan(): void {
    this.#decks.plan(this.#score.segments, this.#blockAt, {
      inUse: (deck) => this.#isInUse(deck),
      isHeard: (segment) => this.#isHeard(segment),
    });
  }

  /** Something sounds from it, and be it only the rest of what was read already. */
  #isHeard(segment: ProgramSegment): boolean {
    return [this.#current, this.#incoming].some((voice) => voice !== undefined && isSameSound(voice.segment, segment));
  }

  #isInUse(deck: Deck): boolean {
    return this.#current?.deck === deck || this.#incoming?.deck === deck || this.#outgoing?.deck === deck;
  }

  #successorOf(segment: ProgramSegment): ProgramSegment | undefined {
    const { segments } = this.#score;
    const place = segments.findIndex((each) => isSameSound(each, segment));
    const next = segments[place + 1];
    return place >= 0 && next !== undefined && followsGapless(segments[place]!, next) ? next : undefined;
  }

  /** Frame of the block, also before and after it, that is nearest to `at`. */
  #indexOf(at: ClusterTime): number {
    return Math.round((Number(at - this.#blockAt) * this.#rateNow) / 1e9);
  }

  /** Frame of `segment` that is due at frame `i` of the block. */
  #frameDueAt(segment: ProgramSegment, i: number): number {
    return frameDueAt(segment, this.#blockAt) + i * this.#ratioNow(segment);
  }

  /** Frames that the card plays in a second of the cluster's time. */
  get #rateNow(): number {
    return this.#card.rate * (1 + this.#pace.ppm / 1e6);
  }

  /** Frames of `segment` that are due per frame of the card. */
  #ratioNow(segment: ProgramSegment): number {
    return segment.sampleRate / this.#rateNow;
  }
}
