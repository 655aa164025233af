/** A disk that is full, for real: this file runs itself again in a mount namespace of its own, on a file system of 256 KiB. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { NodeDisk } from '../../../src/io/fs/node-disk.js';
import { contents, get, put } from '../../contract/disk.js';
import { codeOf } from '../../contract/support.js';
import { mounted, noOwnMounts } from '../../support/own-mounts.js';

const SMALL_DISK = process.env.TUTTI_TEST_SMALL_DISK;
if (SMALL_DISK === undefined) {
  t.test('a full disk is DISK_FULL, and what was written before is whole', { skip: noOwnMounts() }, (t) => {
    const [program, ...within] = mounted('mount -t tmpfs -o size=256k none "$TUTTI_TEST_SMALL_DISK"');
    const root = mkdtempSync(join(tmpdir(), 'tutti-small-'));
    t.teardown(() => rmSync(root, { recursive: true }));
    const env = { ...process.env, TUTTI_TEST_SMALL_DISK: root };
    const child = [...within, process.execPath, fileURLToPath(import.meta.url)];
    const { status, stdout } = spawnSync(program, child, { env, encoding: 'utf8' });
    t.equal(status, 0, stdout);
    t.end();
  });
} else {
  t.test('a full disk', (t) => {
    const disk = new NodeDisk({ root: SMALL_DISK });
    t.ok(disk.space().totalBytes <= 256 * 1024);
    put(disk, 'before', 'whole');
    const file = disk.open('large', 'create');
    t.equal(
      codeOf(() => file.write(new Uint8Array(1 << 20), 0)),
      'DISK_FULL',
    );
    t.equal(get(disk, 'before'), 'whole');
    t.equal(disk.space().freeBytes, 0);
    file.truncate(0);
    file.write(Uint8Array.of(1), 0);
    t.same([...contents(file)], [1]);
    file.close();
    t.end();
  });
}
