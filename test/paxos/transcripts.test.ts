import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { play } from './transcript.js';

const FOLDER = join('test', 'golden', 'paxos');
/** `UPDATE_GOLDEN=1` writes the traces as they are; then read what has changed. */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

for (const file of readdirSync(FOLDER).sort()) {
  t.test(`${file}: the cluster does what the transcript says`, (t) => {
    const path = join(FOLDER, file);
    const expected = readFileSync(path, 'utf8');
    const actual = play(expected);
    if (UPDATE) writeFileSync(path, actual);
    else t.equal(actual, expected);
    t.end();
  });
}
