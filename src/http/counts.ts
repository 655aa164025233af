/** What this server has answered so far: for metrics. What is counted apart is bounded: by the table of calls, the statuses and the catalogue. */
import type { ErrorCode } from '../core/errors.js';

/** Answers of one kind. */
export interface AnswerCount {
  /** As HTTP writes it; `other` where it is none of the common ones. */
  readonly method: string;
  /** As the table of calls has it, such as `/api/v1/tracks/:track`; `none` where the path is none of ours. */
  readonly route: string;
  readonly status: number;
  readonly count: number;
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

/** Counts; never goes back. */
export class HttpCounts {
  readonly #answers = new Map<string, AnswerCount>();
  readonly #refusals = new Map<ErrorCode, number>();

  answered(method: string, route: string | undefined, status: number): void {
    const known = { method: METHODS.includes(method) ? method : 'other', route: route ?? 'none', status };
    const key = `${known.method} ${known.route} ${status}`;
    this.#answers.set(key, { ...known, count: (this.#answers.get(key)?.count ?? 0) + 1 });
  }

  refused(code: ErrorCode): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  answers(): readonly AnswerCount[] {
    return [...this.#answers.values()];
  }

  /** Problems, by code. */
  refusals(): ReadonlyMap<ErrorCode, number> {
    return this.#refusals;
  }
}
