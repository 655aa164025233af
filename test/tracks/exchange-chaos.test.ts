/**
 * Whatever happens to a house, in whatever order: while it happens nobody says that it holds what it does not, and no card has a wrong
 * file in its place; and once it is over, every card has every track of the library, and nothing else.
 */
import t, { type Test } from 'tap';
import type { NodeId, TrackId } from '../../src/core/ids.js';
import { Prng } from '../../src/core/prng.js';
import { LINGER_MS } from '../../src/tracks/exchange-limits.js';
import type { Message } from '../../src/tracks/messages.js';
import type { Offer } from '../../src/tracks/offers.js';
import type { ChunkedFile } from '../support/chunked-file.js';
import { CHUNK_BYTES, House, type Station } from './exchange-house.js';

const NAMES = 'abcd';
const STEPS = 60;

/** One house with its troubles. */
class Chaos {
  readonly house: House;
  readonly #prng: Prng;
  readonly #library: ChunkedFile[] = [];
  readonly #offers: { readonly offer: Offer; readonly file: ChunkedFile; readonly by: Station }[] = [];
  /** Files that somebody meddled with behind a node's back: what it says of them is not its fault. */
  readonly #spoilt = new Set<string>();
  #lossShare = 0;
  /** A node whose word is not to be trusted. */
  #liar: NodeId | null = null;
  readonly lies: string[] = [];

  constructor(t: Test, seed: number) {
    this.house = new House(t, NAMES, { seed, delayMs: 1, jitterMs: 5 });
    this.#prng = new Prng(seed);
    this.house.meddle = (from, _to, message) => {
      const { card, isOn } = this.house.stations.find(({ id }) => id === from)!;
      const said = message.type === 'holdings' ? message.ids : message.type === 'holdings-change' ? message.added : [];
      for (const id of said) {
        if (isOn && !card.held.has(id) && !this.#spoilt.has(`${from} ${id}`)) this.lies.push(`${from[0]} ${id}`);
      }
      if (this.house.chance(this.#lossShare)) return null;
      return from === this.#liar ? this.#lie(message) : message;
    };
  }

  /** What a node with broken memory says: it is asked for something else, gives something else, and finds fault with all. */
  #lie(message: Message): Message {
    const { house } = this;
    if (house.chance(0.5)) return message;
    switch (message.type) {
      case 'chunk':
        return { ...message, bytes: message.bytes.map((byte) => byte ^ 1) };
      case 'outline':
        return { ...message, manifest: message.manifest.toReversed() };
      case 'chunk-ask':
        return { ...message, indexes: message.indexes.map((index) => index * 3) };
      case 'holdings-change':
        return message.added.length + message.removed.length > 0
          ? message
          : { type: 'chunk-bad', id: this.#one(this.#library).track.id, index: this.#prng.below(20) };
      case 'arriving':
        return { ...message, chunks: message.chunks.map(() => 0xff) };
      default:
        return message;
    }
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#prng.below(list.length)]!;
  }

  #on(): Station[] {
    return this.house.stations.filter(({ isOn }) => isOn);
  }

  /** What the node of a track's file does with what the exchange tells it. */
  #follow(): void {
    for (const station of this.#on()) {
      for (const event of station.events.splice(1)) {
        const isWanted = this.#library.some(({ track }) => event.endsWith(track.id.slice(0, 4)));
        const isOffered = this.#offers.some(({ file }) => event.endsWith(file.track.id.slice(0, 4)));
        if (isWanted || isOffered || event.startsWith('withdrawn')) continue;
        const id = [...station.card.held.keys()].find((id) => event.endsWith(id.slice(0, 4)));
        if (id !== undefined && event.startsWith('released')) this.#remove(station, id);
      }
    }
  }

  #remove(station: Station, id: TrackId): void {
    station.card.held.delete(id);
    if (station.isOn) station.exchange.dropped(id);
  }

  async #start(station: Station): Promise<void> {
    await this.house.start(station);
    for (const { track } of this.#library) station.exchange.want(track);
  }

  async begin(): Promise<void> {
    for (const station of this.house.stations) await this.#start(station);
  }

  /** Something happens. */
  async step(): Promise<void> {
    const { house } = this;
    const station = this.#one(house.stations);
    switch (this.#prng.below(15)) {
      case 0:
        if (this.#on().length > 1) house.kill(station);
        for (const one of this.#offers.filter(({ by }) => by === station))
          this.#offers.splice(this.#offers.indexOf(one), 1);
        break;
      case 1:
      case 2:
        if (!station.isOn) await this.#start(station);
        break;
      case 3:
        house.network.cut(station.host, this.#one(house.stations).host);
        break;
      case 4:
        house.network.heal();
        break;
      case 5:
        house.network.reset(station.host, this.#one(house.stations).host);
        break;
      case 6:
        this.#lossShare = this.#prng.below(3) * 0.15;
        break;
      case 7:
        this.#damage(station);
        break;
      case 8:
        this.#add(station);
        break;
      case 9:
        this.#removeTrack();
        break;
      case 10:
        station.card.roomBytes = this.#prng.below(2) === 0 ? 5 * CHUNK_BYTES : Number.POSITIVE_INFINITY;
        break;
      case 11:
        station.files.delayMs = this.#prng.below(30);
        break;
      case 12:
        this.#offer(station);
        break;
      case 13:
        this.#endOffer();
        break;
      case 14:
        this.#liar = this.#liar === null && this.#library.length > 0 ? station.id : null;
        break;
    }
    const steps = 1 + this.#prng.below(60);
    for (let n = 0; n < steps; n++) {
      await house.pass(1 + this.#prng.below(20));
      this.#follow();
    }
  }

  /** A track is added, which some node has taken in. */
  #add(station: Station): void {
    const file = this.house.newFile({ bytes: (1 + this.#prng.below(12)) * CHUNK_BYTES + 3 });
    this.house.hold(station, file);
    this.#library.push(file);
    for (const { exchange } of this.#on()) exchange.want(file.track);
  }

  #removeTrack(): void {
    if (this.#library.length < 3) return;
    const [file] = this.#library.splice(this.#prng.below(this.#library.length), 1);
    for (const { exchange } of this.#on()) exchange.unwant(file!.track.id);
    for (const station of this.house.stations) this.#remove(station, file!.track.id);
  }

  /** Only where others have it: what is nowhere can be mended by nobody. */
  #damage(station: Station): void {
    const good = this.#library.filter(({ track: { id } }) => {
      const others = this.house.stations.filter((other) => other !== station && other.card.held.has(id));
      return station.card.held.has(id) && others.length > 0 && !this.#isSpoilt(id);
    });
    if (good.length === 0) return;
    const file = this.#one(good);
    const { id } = file.track;
    this.#spoilt.add(`${station.id} ${id}`);
    const index = this.#prng.below(file.plan.count);
    station.card.damage(id, index);
    if (this.#prng.below(3) === 0) station.card.held.delete(id);
    if (station.isOn) station.exchange.damaged(id, index);
  }

  #isSpoilt(id: TrackId): boolean {
    return this.house.stations.some((station) => this.#spoilt.has(`${station.id} ${id}`));
  }

  #offer(station: Station): void {
    if (!station.isOn || this.#offers.length > 3) return;
    const file = this.house.newFile({ bytes: (1 + this.#prng.below(12)) * CHUNK_BYTES + 3 });
    this.house.hold(station, file);
    this.#offers.push({ offer: station.exchange.offer(file.track), file, by: station });
  }

  /** It is agreed, or given up. */
  #endOffer(): void {
    const ended = this.#offers.splice(this.#prng.below(this.#offers.length + 1), 1)[0];
    if (ended === undefined) return;
    const { offer, file, by } = ended;
    if (this.#prng.below(2) === 0) {
      this.#library.push(file);
      for (const { exchange } of this.#on()) exchange.want(file.track);
      offer.stop('open');
    } else {
      offer.stop('void');
      this.#remove(by, file.track.id);
    }
  }

  /** Everything is well from now on. Gives what is not as it should be. */
  async settle(): Promise<string[]> {
    const { house } = this;
    house.network.heal();
    this.#lossShare = 0;
    this.#liar = null;
    while (this.#offers.length > 0) this.#endOffer();
    for (const station of house.stations) {
      if (!station.isOn) await this.#start(station);
      station.files.delayMs = 0;
      station.card.roomBytes = Number.POSITIVE_INFINITY;
      // What was deleted behind its back is found out by who looks.
      for (const { track } of this.#library) {
        if (this.#spoilt.has(`${station.id} ${track.id}`)) station.exchange.damaged(track.id, 0);
      }
    }
    await house.until(
      () => {
        this.#follow();
        return this.#library.every((file) => house.isEverywhere(file));
      },
      `${this.#library.length} tracks are everywhere`,
      1_800_000,
    );
    for (let n = 0; n < 60; n++) {
      await house.pass(LINGER_MS / 25);
      this.#follow();
    }
    const wrong = [...this.lies];
    for (const { id, card, exchange } of house.stations) {
      for (const { track, bytes } of this.#library) {
        const held = card.held.get(track.id);
        if (held === undefined || !Buffer.from(held.bytes).equals(bytes)) wrong.push(`${id[0]} lacks ${track.id}`);
      }
      if (card.arriving.size > 0 || exchange.arriving().length > 0) wrong.push(`${id[0]} has parts of files left`);
    }
    return wrong;
  }
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1);

t.test('every house comes to rest with every track on every card', async (t) => {
  for (const seed of seeds) {
    const chaos = new Chaos(t, seed);
    await chaos.begin();
    for (let step = 0; step < STEPS; step++) await chaos.step();
    try {
      t.same(await chaos.settle(), [], `seed ${seed}`);
    } catch (error) {
      t.fail(`seed ${seed}: ${String(error)}`);
    }
    for (const station of chaos.house.stations) chaos.house.kill(station);
  }
});
