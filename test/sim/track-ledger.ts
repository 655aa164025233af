/**
 * TrackLedger: on which cards the file of a track truly is.
 *
 * A card *has* a file when it would give it back, byte for byte, after a power cut now. What a node says of itself is not asked.
 *
 * Faults take away what cards had, and no code can help that: so the ledger keeps what each card had when it was harmed, until it has it again.
 * A voter *counts* for a track where its card has the file, or had it before it was harmed. The atlas sees to it that at most n - q cards
 * are in that state at once, and a card counts as harmed for the atlas until nothing is left in its ledger.
 */
import type { TrackId } from '../../src/core/ids.js';
import type { ReadonlyLibrary } from '../../src/library/library.js';
import type { Disk } from '../../src/ports/disk.js';
import { TMP, TRACKS, trackPath } from '../../src/tracks/paths.js';
import type { Identity, Machine } from './machine.js';
import { filesBelow, type SimDisk } from './sim-disk.js';
import { idOf } from './wavs.js';

const nameOf = ({ node, incarnation }: Identity): string => `${node} ${incarnation}`;

/** True where this card has the file. */
export function has(disk: SimDisk, id: TrackId): boolean {
  const path = trackPath(id);
  const bytes = disk.certain(path);
  // Without its description it is found again only by who knows the track.
  const description = disk.certain(path.replace(/wav$/, 'json'));
  return bytes !== null && description !== null && idOf(bytes) === id && describes(description, id, bytes.length);
}

/** True for a description of this file that can be read. */
function describes(description: Uint8Array, id: TrackId, bytes: number): boolean {
  try {
    const value: unknown = JSON.parse(Buffer.from(description).toString());
    const said = (value ?? {}) as { readonly id?: unknown; readonly bytes?: unknown };
    return said.id === id && said.bytes === bytes;
  } catch {
    return false;
  }
}

/** Files of tracks on a disk, by the ids in their names, and what else is there. */
function filesOf(disk: Disk): { readonly path: string; readonly id: TrackId }[] {
  const paths = [TRACKS, TMP].flatMap((folder) => (disk.exists(folder) ? filesBelow(disk, folder) : []));
  return paths.map(({ path }) => ({ path, id: path.replace(/^.*\//, '').replace(/\..*$/, '') as TrackId }));
}

/** Every file that is in its place on a disk, as a program sees it: the track that it should be, and that it is. */
export function* placed(disk: SimDisk): Generator<{ readonly id: TrackId; readonly found: TrackId }> {
  for (const { path, id } of filesOf(disk))
    if (path === trackPath(id)) yield { id, found: idOf(contentsOf(disk, path)) };
}

function contentsOf(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, 'read');
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

/** The ledger of all cards of a house. */
export class TrackLedger {
  readonly #machines: readonly Machine[];
  /** By card: what it had when it was harmed, and does not have yet again as far as is known. */
  readonly #lost = new Map<string, Set<TrackId>>();

  constructor(components: { readonly machines: readonly Machine[] }) {
    this.#machines = components.machines;
  }

  /** To be called before a card is harmed. */
  harms({ identity, disk }: Machine): void {
    if (identity === null) return;
    const name = nameOf(identity);
    const lost = this.#lost.get(name) ?? new Set();
    this.#lost.set(name, lost);
    for (const { path, id } of filesOf(disk)) if (path === trackPath(id) && has(disk, id)) lost.add(id);
  }

  /** Nothing that this machine's card had, and that the library still wants, is missing on it. */
  isMended({ identity, disk }: Machine, library: ReadonlyLibrary): boolean {
    const lost = identity === null ? undefined : this.#lost.get(nameOf(identity));
    if (lost === undefined) return true;
    for (const id of [...lost]) {
      const isForgotten = library.get(id) === undefined && !disk.exists(trackPath(id));
      if (isForgotten || has(disk, id)) lost.delete(id);
    }
    return [...lost].every((id) => library.get(id) === undefined);
  }

  /** Those of `voters` that count for a track. */
  counting(voters: readonly Identity[], id: TrackId): Identity[] {
    return voters.filter((voter) => {
      const machine = this.#machines.find(
        ({ identity, isClone }) => !isClone && identity !== null && nameOf(identity) === nameOf(voter),
      );
      return (machine !== undefined && has(machine.disk, id)) || this.#lost.get(nameOf(voter))?.has(id) === true;
    });
  }

  /** A card of which a fault has taken this file, as far as is known, or may have. */
  isExcused({ identity }: Machine, id: TrackId): boolean {
    return identity !== null && this.#lost.get(nameOf(identity))?.has(id) === true;
  }

  /** What keeps this machine's files from being those of the library; null where they are. */
  problem({ disk }: Machine, library: ReadonlyLibrary): string | null {
    for (const { id, lost } of library.list()) if (lost !== true && !has(disk, id)) return `lacks ${id.slice(0, 8)}`;
    const left = filesOf(disk).find(({ path, id }) => path.startsWith(`${TMP}/`) || library.get(id) === undefined);
    return left === undefined ? null : `has ${left.path.slice(0, 24)} left`;
  }
}
