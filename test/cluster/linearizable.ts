/**
 * Is a history of calls linearizable? That is: is there an order in which one after another would have given all those answers, with every
 * call somewhere between its beginning and its end?
 *
 * The search is that of Wing and Gong, with the memory that Lowe added: whoever comes to a state with the same calls done need not go on
 * from there again. (J. Wing and C. Gong, Testing and Verifying Concurrent Objects, 1993; G. Lowe, Testing for linearizability, 2017.)
 */

/** What one client asked, and what it was told. */
export interface Call<Asked, Answer> {
  readonly asked: Asked;
  /** Undefined where nobody was ever told: it may have been done, at any time since it was asked for, or never. */
  readonly answer: Answer | undefined;
  /** Instants on one clock, in any unit. `returnedAt` means nothing without an answer. */
  readonly calledAt: number;
  readonly returnedAt: number;
}

/** The object as it is where everybody asks one after another. */
export interface Model<State, Asked, Answer> {
  readonly initial: State;
  /** The state after a call that was answered so (undefined: in whatever way); null where it would not have been. */
  step(state: State, asked: Asked, answer: Answer | undefined): State | null;
  /** Tells states apart. */
  key(state: State): string;
}

/** What a search came to. */
export interface Verdict<Asked, Answer> {
  readonly ok: boolean;
  /** Where not: the calls of which at least one cannot be put anywhere, after the most that can. */
  readonly stuckAt: readonly Call<Asked, Answer>[];
}

/** The beginning or the end of a call, in a list that is ordered by time. */
interface Mark {
  readonly call: number;
  readonly isCall: boolean;
  before: Mark;
  after: Mark | null;
}

/** Looks for an order. */
export function linearize<State, Asked, Answer>(
  model: Model<State, Asked, Answer>,
  calls: readonly Call<Asked, Answer>[],
): Verdict<Asked, Answer> {
  const { head, ends } = listOf(calls);
  const seen = new Set<string>();
  const path: { readonly mark: Mark; readonly state: State }[] = [];
  let state = model.initial;
  let done = 0n;
  let unanswered = calls.filter(({ answer }) => answer !== undefined).length;
  let stuckAt: readonly Call<Asked, Answer>[] = [];
  let furthest = -1;
  let mark = head.after;
  while (unanswered > 0) {
    if (mark?.isCall === true) {
      const { asked, answer } = calls[mark.call]!;
      const next = model.step(state, asked, answer);
      const withIt = done | (1n << BigInt(mark.call));
      const key = next === null ? '' : `${withIt.toString(36)} ${model.key(next)}`;
      if (next !== null && !seen.has(key)) {
        seen.add(key);
        path.push({ mark, state });
        state = next;
        done = withIt;
        if (answer !== undefined) unanswered -= 1;
        takeOut(mark, ends[mark.call]);
        mark = head.after;
      } else {
        mark = mark.after;
      }
      continue;
    }
    // A call has ended and stands nowhere yet: some earlier choice was wrong.
    if (path.length > furthest) {
      furthest = path.length;
      stuckAt = openCalls(head).map((call) => calls[call]!);
    }
    const last = path.pop();
    if (last === undefined) return { ok: false, stuckAt };
    state = last.state;
    done &= ~(1n << BigInt(last.mark.call));
    if (calls[last.mark.call]!.answer !== undefined) unanswered += 1;
    putBack(last.mark, ends[last.mark.call]);
    mark = last.mark.after;
  }
  return { ok: true, stuckAt: [] };
}

/** The marks of all calls, by time. Where a call begins at the instant at which another ends, either may be first. */
function listOf(calls: readonly Call<unknown, unknown>[]): { head: Mark; ends: readonly (Mark | undefined)[] } {
  const times = calls.flatMap(({ calledAt, returnedAt, answer }, call) => [
    { call, isCall: true, at: calledAt },
    ...(answer === undefined ? [] : [{ call, isCall: false, at: returnedAt }]),
  ]);
  times.sort((a, b) => a.at - b.at || Number(b.isCall) - Number(a.isCall));
  const head = { call: -1, isCall: false, after: null } as unknown as Mark;
  const ends: (Mark | undefined)[] = calls.map(() => undefined);
  let last = head;
  for (const { call, isCall } of times) {
    const mark: Mark = { call, isCall, before: last, after: null };
    last.after = mark;
    last = mark;
    if (!isCall) ends[call] = mark;
  }
  return { head, ends };
}

function takeOut(...marks: readonly (Mark | undefined)[]): void {
  for (const mark of marks) {
    if (mark === undefined) continue;
    mark.before.after = mark.after;
    if (mark.after !== null) mark.after.before = mark.before;
  }
}

/** Undoes {@link takeOut}, the other way round: each mark still knows its place. */
function putBack(...marks: readonly (Mark | undefined)[]): void {
  for (const mark of marks.toReversed()) {
    if (mark === undefined) continue;
    mark.before.after = mark;
    if (mark.after !== null) mark.after.before = mark;
  }
}

/** The calls that stand nowhere and have begun before the first of them has ended. */
function openCalls(head: Mark): number[] {
  const open: number[] = [];
  for (let mark = head.after; mark?.isCall === true; mark = mark.after) open.push(mark.call);
  return open;
}
