/** FakeNeighbours: daemons on a local network that loses nothing. */
import type { Announcement, Neighbours } from './neighbours.js';

/** The network that they share. */
export class FakeNeighbourhood {
  readonly said = new Map<FakeNeighbours, Announcement>();
}

/** One daemon's ear and mouth. */
export class FakeNeighbours implements Neighbours {
  readonly #neighbourhood: FakeNeighbourhood;
  #isRunning = false;

  constructor(components: { readonly neighbourhood: FakeNeighbourhood }) {
    this.#neighbourhood = components.neighbourhood;
  }

  start(): void {
    this.#isRunning = true;
  }

  announce(announcement: Announcement): void {
    if (this.#isRunning) this.#neighbourhood.said.set(this, announcement);
  }

  list(): readonly Announcement[] {
    if (!this.#isRunning) return [];
    const others = [...this.#neighbourhood.said].filter(([who]) => who !== this);
    return others.map(([, said]) => said).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stop(): Promise<void> {
    this.#isRunning = false;
    this.#neighbourhood.said.delete(this);
    return Promise.resolve();
  }
}
