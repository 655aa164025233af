/**
 * DiskFailures: ends of this daemon for which its disk was to blame, over its processes.
 *
 * A disk that failed ends the process, and the service manager starts it again: what the disk holds is then all that counts. Where that goes
 * wrong three times within a minute, a fourth try would go wrong too, and nobody could ask the node what is the matter. Then it starts without
 * its disk: it answers, says why, and takes no part.
 *
 * They are noted where the disk in question is not: in the service's runtime directory (systemd.exec(5), RuntimeDirectory=), else in the system's for temporary
 * files. Where that fails too nothing is noted, and the service manager goes on trying.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Time } from '../ports/time.js';

/** So many ends within so long are a circle. */
const ENDS = 3;
const WITHIN_MS = 60_000;

/** Ends by the failure of one disk. */
export class DiskFailures {
  readonly #time: Pick<Time, 'now'>;
  readonly #path: string;

  /** @param init `folder`: where they are noted; `dataDir`: whose disk it is */
  constructor(
    components: { readonly time: Pick<Time, 'now'> },
    init: { readonly folder: string; readonly dataDir: string },
  ) {
    this.#time = components.time;
    const name = createHash('sha256').update(init.dataDir).digest('hex').slice(0, 16);
    this.#path = join(init.folder, `tutti-disk-failures-${name}`);
  }

  /** The process is about to end for one. */
  note(): void {
    const ends = [...this.#recent(), this.#nowMs()].slice(-ENDS);
    try {
      writeFileSync(this.#path, `${ends.join('\n')}\n`, { mode: 0o600 });
    } catch {
      // There is nobody to tell who would not know already.
    }
  }

  /** It has ended for that three times within the last minute. */
  get isCircle(): boolean {
    return this.#recent().length >= ENDS;
  }

  /** Instants of the last ones, local milliseconds. Time that is not of this boot of the machine is no time. */
  #recent(): number[] {
    const nowMs = this.#nowMs();
    try {
      const ends = readFileSync(this.#path, 'utf8').split('\n').filter(Boolean).map(Number);
      return ends.filter((endMs) => endMs <= nowMs && nowMs - endMs <= WITHIN_MS);
    } catch {
      return [];
    }
  }

  #nowMs(): number {
    return Number(this.#time.now() / 1_000_000n);
  }
}
