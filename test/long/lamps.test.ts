/** 100 leaders that end, and the lamps at plain lines that said that they lead. */
import { join } from 'node:path';
import t from 'tap';
import { buildFakeChip, PreloadedChip } from '../gpio/chip.js';
import { temporaryFolder } from '../support/daemon.js';
import { watchLamps } from '../support/leader-lamps.js';
import { NODE_NAMES, type NodeName } from '../support/three-nodes.js';
import { WiredHouse } from '../support/wired-house.js';

const CHANGES = 100;
const LEADER_LED = 26;

const built = buildFakeChip();
const skip = 'missing' in built && built.missing;
const library = 'missing' in built ? '' : built.library;

await t.test(`${CHANGES} changes of the leader: two lamps never shine on`, { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const chips = Object.fromEntries(
    NODE_NAMES.map((name) => [name, new PreloadedChip({ folder: join(folder, `chip-${name}`), library })]),
  ) as Record<NodeName, PreloadedChip>;
  const envOf = (name: NodeName) => chips[name].env;
  const house = await WiredHouse.start(t, folder, (index) => envOf(NODE_NAMES[index]!));
  const seen = await watchLamps(house, { changes: CHANGES, isLit: (name) => chips[name].isHigh(LEADER_LED), envOf });
  t.comment(`${seen.looks} looks; two shone ${seen.overlaps.length} times: ${JSON.stringify(seen.overlaps)}`);
  const after = (wanted: string) => seen.overlaps.filter(({ way }) => way === wanted);
  t.same(after('SIGTERM'), [], 'never after one that ended in order');
  // Until what the unit runs has put it out, which it had each time: on a busy machine that may take longer than an election.
  t.comment(`${after('SIGKILL').length} times after one that was killed`);
});
