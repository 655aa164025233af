/**
 * `tutti demo`: the main job on this machine, as people would do it, with nothing installed.
 *
 * Real nodes in processes of their own, with simulated sound cards that write down what they play. Music is made, uploaded over HTTP,
 * queued and played; then what left the cards is held against what went in. No step knows the nodes' insides.
 *
 * one-room.ts and many-rooms.ts tell what happens; listening.ts and spread.ts how it is judged.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TextOutput } from '../components.js';
import { EXIT } from '../exit-codes.js';
import { freePorts } from './free-ports.js';
import { manyRooms } from './many-rooms.js';
import { oneRoom } from './one-room.js';
import { Room, type RoomComponents } from './room.js';
import { type DEMO_NODES_MAX, DEMO_ROOMS } from './rooms.js';
import type { Story } from './story.js';

/** Where the first node listens if nobody else does: the address that every other command asks by default. */
const USUAL_PORT = 8_080;

/** What the demo works with. */
export interface DemoComponents extends RoomComponents {
  readonly stdout: TextOutput;
  /** A person looks on: then it stays up until they have had enough. */
  readonly isWatched: boolean;
  /** Resolves once somebody has had enough, at any time (SIGINT, SIGTERM), with the exit code that says so. */
  readonly enough: Promise<number>;
}

/** What was asked for. */
export interface DemoInit {
  /** 1 to {@link DEMO_NODES_MAX}. */
  readonly nodes: number;
  /** The outcome as one line of JSON on standard output; what happens is told on standard error. */
  readonly json: boolean;
}

/** Runs the demo and gives the exit code: 0 where everything was heard as it should be. No node outlives it. @throws TuttiError where a step failed */
export async function demo(components: DemoComponents, { nodes, json }: DemoInit): Promise<number> {
  const { stdout, stderr, time, isWatched, enough } = components;
  const say = (text: string) => (json ? stderr : stdout).write(`${text}\n`);
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = time.after('demo.wait', ms, resolve);
      void enough.then(() => timer.cancel());
    });
  const folder = await mkdtemp(join(tmpdir(), 'tutti-demo-'));
  const ports = await freePorts(2 * nodes, USUAL_PORT);
  const rooms = DEMO_ROOMS.slice(0, nodes).map(
    ([name, ppm], at) =>
      new Room(components, { name, ppm, folder, httpPort: ports[at]!, peerPort: ports[nodes + at]! }),
  ) as [Room, ...Room[]];
  let verdict: number | null = null;
  const perform = async (): Promise<number> => {
    const cards = DEMO_ROOMS.slice(0, nodes).map(([name, ppm]) => `${name} (${ppm} ppm)`);
    say(`Nodes with simulated sound cards, whose crystals differ: ${cards.join(', ')}. Their files are in ${folder}`);
    await Promise.all(rooms.map((room) => room.start()));
    const story: Story = nodes === 1 ? oneRoom : manyRooms;
    const { exitCode, text, figures } = await story(rooms, { time, say, wait });
    verdict = exitCode;
    say(text);
    say(`Listen to it: ${rooms[0].captureFile}`);
    if (json) stdout.write(`${JSON.stringify({ nodes, ...figures })}\n`);
    if (exitCode === EXIT.ok && isWatched) {
      say('The nodes go on until you press Ctrl-C. Open one of these, or give commands: tutti status --node URL');
      for (const room of rooms) say(`  ${room.name}: ${await room.page()}`);
      await Promise.race([enough, ...rooms.map((room) => room.ended)]);
    }
    return exitCode;
  };
  try {
    const ended = await Promise.race([perform(), enough]);
    return verdict ?? ended;
  } finally {
    await Promise.all(rooms.map((room) => room.end()));
    // Where nobody looked on, somebody may want to look at it later.
    if (isWatched) await rm(folder, { recursive: true, force: true });
  }
}
