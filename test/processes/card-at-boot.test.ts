/** The card of a node that starts: it is full, or the kernel has made it read-only, as it does with one that is dying. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXIT } from '../../src/cli/exit-codes.js';
import { Daemon, temporaryFolder } from '../support/daemon.js';
import { mounted, noOwnMounts } from '../support/own-mounts.js';
import { song, stateOf } from '../support/three-nodes.js';

/** The program that ships, beside the compiled tests. */
const MAIN = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));
/** The log and what it keeps back for bad days take 145 MB. */
const CARD = '200m';

await t.test('the card of a node that starts', { skip: noOwnMounts() }, async (t) => {
  const folder = temporaryFolder(t);
  const [dataDir, place] = [join(folder, 'data'), join(folder, 'card')];
  mkdirSync(place);
  const earlier = await Daemon.start(t, { dataDir });
  await earlier.upload('there.wav', song(1));
  await earlier.call('POST', '/queue', { trackId: 'there' });
  await earlier.end();

  await t.test('is full: it plays, takes commands and says what is off; a song is refused whole', async (t) => {
    const full = `mount -t tmpfs -o size=${CARD} none ${place}; cp -a ${dataDir}/. ${place}
      dd if=/dev/zero of=${place}/junk bs=64k 2>/dev/null || true; mount --bind ${place} ${dataDir}`;
    const daemon = await Daemon.start(t, { dataDir, within: mounted(full) });
    const { cluster, alerts, tracks } = await stateOf(daemon);
    t.match(cluster, { quorum: true, votersOnline: 1 });
    t.match(alerts, [{ code: 'DISK_FULL' }]);
    t.match(tracks, [{ title: 'there' }]);
    t.equal((await daemon.call('PUT', '/volume', { volume: 33 })).status, 200);
    t.equal((await daemon.call('POST', '/transport/play')).status, 200);
    t.match(await daemon.upload('more.wav', song(2)), { status: 507, json: { code: 'DISK_FULL', advice: /tutti rm/ } });
    t.match((await stateOf(daemon)).tracks, { length: 1 });
    t.equal(await daemon.end(), 0);
  });

  await t.test('is read-only: it could forget what it promises, so it does not take part, and says so', async (t) => {
    const readOnly = `mount --bind ${dataDir} ${dataDir}; mount -o remount,bind,ro ${dataDir}`;
    const [program, ...args] = mounted(readOnly);
    const env = { PATH: process.env.PATH };
    const run = [process.execPath, MAIN, 'run', '--data', dataDir];
    const { status, stderr } = spawnSync(program, [...args, ...run], { env, encoding: 'utf8' });
    t.equal(status, EXIT.world);
    t.match(stderr, /DISK_FAILED: the data directory cannot be written to: EROFS.*\nCheck that/);
  });
});
