/** A house of three real daemons with simulated cards, whose pages are opened by the names that people use. */
import { join } from 'node:path';
import { freePorts } from '../../../../src/cli/demo/free-ports.js';
import type { State } from '../../../../src/http/schema.js';
import { type Daemon, type Ends, temporaryFolder, until } from '../../../support/daemon.js';
import { formHouse, NODE_NAMES, type NodeName, song, startNode, stateOf } from '../../../support/three-nodes.js';

/** Titles of what it holds; each song is 20 s long. */
export const TITLES = ['Allemande', 'Bourree', 'Courante', 'Double', 'Entree'] as const;

export class PageHouse {
  /** Those that run, or ran last. */
  readonly daemons: Record<NodeName, Daemon>;
  /** Ids of the tracks, in the order of {@link TITLES}. */
  readonly trackIds: readonly string[];
  readonly #t: Ends;
  readonly #folder: string;
  readonly #ports: Readonly<Record<NodeName, number>>;

  private constructor(
    t: Ends,
    folder: string,
    ports: Readonly<Record<NodeName, number>>,
    daemons: Record<NodeName, Daemon>,
    trackIds: readonly string[],
  ) {
    this.#t = t;
    this.#folder = folder;
    this.#ports = ports;
    this.daemons = daemons;
    this.trackIds = trackIds;
  }

  /** A house that has the songs on all cards and is silent. Ends with the test. */
  static async start(t: Ends): Promise<PageHouse> {
    const folder = temporaryFolder(t);
    const [kitchen, attic, hall] = (await freePorts(NODE_NAMES.length, 0)) as [number, number, number];
    const ports = { kitchen, attic, hall };
    const extras = Object.fromEntries(NODE_NAMES.map((name) => [name, extrasOf(ports[name])]));
    const daemons = await formHouse(t, folder, extras);
    const trackIds: string[] = [];
    for (const [index, title] of TITLES.entries()) {
      const { json } = await daemons.kitchen.upload(`${title}.wav`, song(index + 1));
      trackIds.push((json as { id: string }).id);
    }
    const house = new PageHouse(t, folder, ports, daemons, trackIds);
    await house.settled('holds all songs', (state) =>
      state.nodes.every(({ disk }) => disk?.tracksMissing.count === 0 && state.tracks.length === TITLES.length),
    );
    return house;
  }

  /** What a person types to see the page of a node. */
  address(name: NodeName): string {
    return `http://${name}.local:${this.#ports[name]}/`;
  }

  /** Whom a page may ask: the nodes, by name and by number. */
  get origins(): readonly string[] {
    return NODE_NAMES.flatMap((name) => [
      `http://${name}.local:${this.#ports[name]}`,
      `http://127.0.0.1:${this.#ports[name]}`,
    ]);
  }

  dataDir(name: NodeName): string {
    return join(this.#folder, name);
  }

  /** Starts one that was ended, at the address that it had. */
  async restart(name: NodeName): Promise<void> {
    this.daemons[name] = await startNode(this.#t, this.#folder, name, [], extrasOf(this.#ports[name]));
  }

  states(): Promise<State[]> {
    return Promise.all(NODE_NAMES.map((name) => stateOf(this.daemons[name])));
  }

  /** Waits until every node tells the same that is wanted; gives what they tell. */
  async settled(what: string, isSo: (state: State) => boolean): Promise<readonly State[]> {
    let states: readonly State[] = [];
    const look = async () => {
      states = await this.states();
      return states.every(isSo);
    };
    await until(`every node ${what}`, look, () =>
      states.map(({ node, transport, queue, volume }) => ({ node, transport, queue, volume })),
    );
    return states;
  }

  /** Stopped at 50 per cent, with these songs in the queue, by their places in {@link TITLES}. */
  async begin(songs: readonly number[] = [0, 1, 2, 3, 4]): Promise<void> {
    const { kitchen } = this.daemons;
    await kitchen.call('POST', '/transport/stop');
    await kitchen.call('DELETE', '/queue');
    await kitchen.call('POST', '/transport/mode', { repeat: 'off' });
    await kitchen.call('PUT', '/volume', { volume: 50, muted: false });
    if (songs.length > 0) await kitchen.call('POST', '/queue', { trackIds: songs.map((at) => this.trackIds[at]) });
    await this.settled(
      'has stopped',
      ({ transport, queueLength, volume }) =>
        transport.status === 'stopped' && queueLength === songs.length && volume === 50,
    );
  }

  /** {@link begin}, and the first song plays on all cards. */
  async beginPlaying(songs?: readonly number[]): Promise<void> {
    await this.begin(songs);
    await this.daemons.kitchen.call('POST', '/transport/play');
    await this.settled('plays', ({ transport }) => transport.status === 'playing');
  }
}

const extrasOf = (port: number) => ({
  env: { TUTTI_OUTPUT_DRIVER: 'virtual', TUTTI_HTTP_LISTEN: `127.0.0.1:${port}` },
});
