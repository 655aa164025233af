/** play, pause, stop, skip, previous, seek, repeat: what every room does now. */
import { Argument, type Command } from 'commander';
import { clusterTime, laterOf } from '../../core/units.js';
import { State, Transport } from '../../http/schema.js';
import { Repeat } from '../../playback/model.js';
import { readChoice, readTime } from '../arguments.js';
import type { NodeClient } from '../node-client.js';
import type { RunCommand, Session } from '../session.js';
import { shownTime, shownTitle } from '../text.js';
import { TRACK_HELP, trackNamed } from './library.js';

const REPEATS = Repeat.anyOf.map((mode) => mode.const);

/** Adds `play`, `pause`, `stop`, `skip`, `previous`, `seek` and `repeat` to `program`; each prints what came of it. */
export function addTransportCommands(program: Command, run: RunCommand): void {
  program
    .command('play')
    .summary('play, or play a track now')
    .description('Goes on playing or starts the queue; with TRACK plays that one now.')
    .argument('[track]', TRACK_HELP)
    .action(run(play));
  program
    .command('pause')
    .summary('pause')
    .description('Pauses every room at the same sample.')
    .action(run((session) => change(session, 'pause')));
  program
    .command('stop')
    .summary('stop and keep the queue')
    .description('Stops; the queue is kept.')
    .action(run((session) => change(session, 'stop')));
  program
    .command('skip')
    .summary('go to the next item')
    .description(
      'Goes to the next item. It names the item that is current now, so that two people who skip the same song skip it once.',
    )
    .action(run((session) => changeCurrent(session, 'skip')));
  program
    .command('previous')
    .summary('back to the start, or to the item before')
    .description('Goes back to the start of the item; within its first three seconds, to the item before.')
    .action(run((session) => changeCurrent(session, 'previous')));
  program
    .command('seek')
    .summary('go to a time in the item')
    .description('Goes to a time in the current item: 83, 1:23, 1:02:03; +10 and -10 count from where it is.')
    .argument('<time>', 'seconds, M:SS or H:MM:SS; with + or - from here')
    // Otherwise -1:23 would be taken for an option. A real mistake is turned down by the reader of times.
    .allowUnknownOption()
    .action(run(seek));
  program
    .command('repeat')
    .summary('repeat nothing, the queue or one item')
    .description('Sets what is repeated.')
    .addArgument(new Argument('<mode>', 'what is repeated').choices(REPEATS).argParser((text: string) => text))
    .action(run(repeat));
}

async function play(session: Session, typed: string | undefined): Promise<void> {
  const client = session.client();
  const body = typed === undefined ? {} : { trackId: (await trackNamed(client, typed)).id };
  print(session, await client.write('POST', '/transport/play', Transport, body));
}

async function change(session: Session, verb: 'pause' | 'stop'): Promise<void> {
  print(session, await session.client().write('POST', `/transport/${verb}`, Transport, {}));
}

async function changeCurrent(session: Session, verb: 'skip' | 'previous'): Promise<void> {
  const client = session.client();
  const { expect } = await current(client);
  print(session, await client.write('POST', `/transport/${verb}`, Transport, expect));
}

async function seek(session: Session, typed: string): Promise<void> {
  const target = readTime(typed);
  const client = session.client();
  const { expect, positionMs } = await current(client);
  const wantedMs = 'to' in target ? target.to : Math.max(0, Math.round(positionMs + target.by));
  print(session, await client.write('POST', '/transport/seek', Transport, { positionMs: wantedMs, ...expect }));
}

async function repeat(session: Session, typed: string): Promise<void> {
  const mode = readChoice('MODE', REPEATS, typed);
  const transport = await session.client().write('POST', '/transport/mode', Transport, { repeat: mode });
  session.print(transport, () => `Repeat: ${mode}`);
}

/** The item that is current as the command is given, and where it is. Where none is, the node says so. */
async function current(client: NodeClient): Promise<{ expect: { expectItem?: string }; positionMs: number }> {
  const state = await client.read('/state', State);
  const { itemId } = state.transport;
  return { expect: itemId === null ? {} : { expectItem: itemId }, positionMs: positionAt(state) };
}

/** Position at the instant of `cluster.timeNs`: it moves on from `transport.atNs`, or from `startAtNs` if that is later. Milliseconds. */
export function positionAt({ transport, cluster }: Pick<State, 'transport' | 'cluster'>): number {
  if (transport.status !== 'playing') return transport.positionMs;
  const since = laterOf(clusterTime(BigInt(transport.atNs)), clusterTime(BigInt(transport.startAtNs)));
  const movingMs = Math.max(0, Number(BigInt(cluster.timeNs) - since) / 1e6);
  return Math.min(transport.durationMs, transport.positionMs + movingMs);
}

function print(session: Session, transport: Transport): void {
  session.print(transport, () => humanTransport(transport, transport.positionMs));
}

/** `Playing: Blue in Green, 1:23 of 5:37`. */
export function humanTransport({ status, title, durationMs }: Transport, positionMs: number): string {
  if (status === 'stopped') return 'Stopped.';
  const word = status === 'playing' ? 'Playing' : 'Paused';
  return `${word}: ${shownTitle(title ?? 'a track without a title')}, ${shownTime(positionMs)} of ${shownTime(durationMs)}`;
}
