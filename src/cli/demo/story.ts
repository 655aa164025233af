/** The shape of what the demo tells: rooms and a stage in, a verdict out. */
import type { Time } from '../../ports/time.js';
import type { Room } from './room.js';

/** What a story is told with. */
export interface Stage {
  readonly time: Time;
  readonly say: (text: string) => void;
  readonly wait: (ms: number) => Promise<void>;
}

/** What it came to. */
export interface Verdict {
  /** 0 where all was as it should be. */
  readonly exitCode: number;
  /** For a person. */
  readonly text: string;
  /** For a program. */
  readonly figures: object;
}

/** What happens in the rooms, each of which answers. @throws TuttiError where a step failed */
export type Story = (rooms: readonly [Room, ...Room[]], stage: Stage) => Promise<Verdict>;
