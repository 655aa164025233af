/**
 * ReadBarriers: readers who wait until this node has applied everything that was answered before they asked.
 *
 * Readers of one turn share one question. It is asked under an id of its own each time, so an answer that comes late answers nobody else; a
 * question that got lost, or that nobody could answer, is asked anew until the readers' patience is over.
 */
import { TuttiError } from '../core/errors.js';
import type { Slot } from '../core/ids.js';

/** A reader who had no answer for so long is refused. Milliseconds: four elections. */
const PATIENCE_MS = 2_000;
/** A question that was not answered for so long is asked anew. Milliseconds. */
const ASK_AGAIN_MS = 300;
/** Readers at once. */
const READERS_MAX = 4_096;

interface Reader {
  readonly askedAtMs: number;
  resolve(slot: Slot): void;
  reject(error: TuttiError): void;
}

interface Question {
  readonly askedAtMs: number;
  readonly readers: readonly Reader[];
}

/** Strong reads under way at one node. */
export class ReadBarriers {
  #lastId = 0;
  #count = 0;
  /** Not asked for yet. */
  #new: Reader[] = [];
  readonly #asked = new Map<number, Question>();
  /** Answered; the slot is not applied yet. */
  #answered: { readonly slot: Slot; readonly readers: readonly Reader[] }[] = [];

  /** Takes a reader. @throws TuttiError BUSY */
  add(reader: Reader): void {
    if (this.#count >= READERS_MAX) throw new TuttiError('BUSY', `${READERS_MAX} strong reads are under way.`);
    this.#count++;
    this.#new.push(reader);
  }

  /** The id of a question to ask now; null where nobody waits for one. */
  question(nowMs: number): number | null {
    if (this.#new.length === 0) return null;
    const id = ++this.#lastId;
    this.#asked.set(id, { askedAtMs: nowMs, readers: this.#new });
    this.#new = [];
    return id;
  }

  /** The answer: a slot, or null where none is known at present. */
  answer(id: number, slot: Slot | null, applied: Slot): void {
    const question = this.#asked.get(id);
    if (question === undefined) return;
    this.#asked.delete(id);
    if (slot === null) this.#new.push(...question.readers);
    else if (slot <= applied) this.#settle(question.readers, slot);
    else this.#answered.push({ slot, readers: question.readers });
  }

  /** Everything up to `slot` is applied here. */
  applied(slot: Slot): void {
    if (this.#answered.length === 0) return;
    const ready = this.#answered.filter((answer) => answer.slot <= slot);
    this.#answered = this.#answered.filter((answer) => answer.slot > slot);
    for (const { slot, readers } of ready) this.#settle(readers, slot);
  }

  /** Asks anew what was not answered, and refuses who waited too long. True where there is something to ask. */
  expire(nowMs: number): boolean {
    for (const [id, { askedAtMs, readers }] of this.#asked) {
      if (nowMs - askedAtMs < ASK_AGAIN_MS) continue;
      this.#asked.delete(id);
      this.#new.push(...readers);
    }
    const isLate = ({ askedAtMs }: Reader) => nowMs - askedAtMs >= PATIENCE_MS;
    this.#refuse(this.#new.filter(isLate));
    this.#new = this.#new.filter((reader) => !isLate(reader));
    this.#answered = this.#answered.filter(({ readers }) => {
      if (!readers.every(isLate)) return true;
      this.#refuse(readers);
      return false;
    });
    return this.#new.length > 0;
  }

  /** Refuses everybody. */
  stop(): void {
    for (const { readers } of [...this.#asked.values(), ...this.#answered]) this.#refuse(readers);
    this.#refuse(this.#new);
    this.#asked.clear();
    this.#answered = [];
    this.#new = [];
  }

  #settle(readers: readonly Reader[], slot: Slot): void {
    this.#count -= readers.length;
    for (const { resolve } of readers) resolve(slot);
  }

  #refuse(readers: readonly Reader[]): void {
    this.#count -= readers.length;
    for (const { reject } of readers) {
      reject(new TuttiError('NO_QUORUM', 'No leader confirmed what is agreed at present.'));
    }
  }
}
