/** What the contract suites share: waiting for conditions, errors by code, and what every start and stop has to keep. */
import type { Test } from 'tap';
import { type ErrorCode, TuttiError } from '../../src/core/errors.js';

/** Lets a little time pass: a step of fake time, or a turn of the real event loop. */
export type Pass = () => void | Promise<void>;

/** How often {@link until} looks before it gives up: 10 s of real time at a millisecond each. */
const LOOKS_MAX = 10_000;

/** Returns when `condition` holds, and fails the test where it never does. */
export async function until(condition: () => boolean, pass: Pass, what: string): Promise<void> {
  for (let look = 0; !condition(); look++) {
    if (look === LOOKS_MAX) throw new Error(`still not so after ${LOOKS_MAX} looks: ${what}`);
    await pass();
  }
}

/** The {@link Pass} of adapters that live in real time. */
export const passRealTime: Pass = () => new Promise((resolve) => setTimeout(resolve, 1));

/** The code with which `call` fails, or what it gave instead: one value to compare. */
export function codeOf(call: () => unknown): ErrorCode | string {
  try {
    return `no error, but ${String(call())}`;
  } catch (error) {
    return error instanceof TuttiError ? error.code : `no TuttiError, but ${String(error)}`;
  }
}

/** The code with which a promise is rejected. */
export async function rejectionOf(promise: Promise<unknown>): Promise<ErrorCode | string> {
  try {
    return `no error, but ${String(await promise)}`;
  } catch (error) {
    return error instanceof TuttiError ? error.code : `no TuttiError, but ${String(error)}`;
  }
}

/** A port that can be started and stopped, as {@link runLifecycleContract} sees it. */
export interface LifecycleSubject {
  /** Starts it with handlers that count. */
  start(): Promise<unknown>;
  stop(): Promise<void>;
  /** Makes the world do what a started port calls its handlers for. */
  provoke(): void | Promise<void>;
  /** How often handlers were called. */
  calls(): number;
  /** False for a port without handlers, such as a lamp. */
  readonly hasHandlers: boolean;
  pass: Pass;
  /** Names of the timers that run (`Time.running`). */
  timers(): readonly string[];
  /** What else would keep the process alive. Handles of the real world take a few turns of the event loop to close. */
  handles(): readonly string[];
  /** Ends what the suite's set-up itself began. */
  close(): void | Promise<void>;
}

/** Handles of the whole process: what the leftovers of a real adapter are. */
export const processHandles = (): readonly string[] => process.getActiveResourcesInfo().toSorted();

/** What `read` gives once it has come to rest: what earlier tests closed takes a few turns of the event loop to go. */
export async function settled(read: () => readonly string[], pass: Pass): Promise<readonly string[]> {
  let last = read();
  for (let calm = 0; calm < 5; ) {
    await pass();
    const now = read();
    calm = `${now}` === `${last}` ? calm + 1 : 0;
    last = now;
  }
  return last;
}

/** Every port with `start` and `stop`: stopping early, twice or late is fine, and leaves nothing. */
export const runLifecycleContract = (
  t: Test,
  name: string,
  setup: () => LifecycleSubject | Promise<LifecycleSubject>,
): Promise<unknown> =>
  t.test(`${name} starts and stops as every port does`, async (t) => {
    await t.test('it may be stopped before it was started, and twice', async (t) => {
      const subject = await setup();
      await subject.stop();
      await subject.stop();
      t.equal(subject.calls(), 0, 'and nothing was called');
      await subject.close();
    });

    await t.test('making it begins nothing', async (t) => {
      const subject = await setup();
      const handles = await settled(subject.handles, subject.pass);
      await subject.provoke();
      await subject.pass();
      t.equal(subject.calls(), 0, 'no handler is called before the start');
      t.same(subject.timers(), [], 'no timer runs');
      t.same(subject.handles(), handles, 'no handle is open');
      await subject.stop();
      await subject.close();
    });

    await t.test('after stop nothing is called and nothing is left', async (t) => {
      const subject = await setup();
      const handles = await settled(subject.handles, subject.pass);
      await subject.start();
      await subject.provoke();
      if (subject.hasHandlers) await until(() => subject.calls() > 0, subject.pass, 'a handler is called');
      await subject.provoke();
      await subject.stop();
      const calls = subject.calls();
      t.same(subject.timers(), [], 'no timer runs');
      await subject.provoke();
      t.same(await settled(subject.handles, subject.pass), handles, 'no handle is left that was not there before');
      await subject.stop();
      t.equal(subject.calls(), calls, 'no handler is called any more');
      await subject.close();
    });
  });
