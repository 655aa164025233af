/** tutti doctor, as it is typed: on this real machine, and on ones that a test makes up. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Check } from '../../../src/cli/doctor/check.js';
import { probe } from '../../../src/cli/doctor/probe.js';
import { FakeNode } from '../fake-node.js';
import { tutti } from '../harness.js';

const folder = mkdtempSync(join(tmpdir(), 'tutti-doctor-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** Somewhere that nobody answers. */
const NOBODY = 'http://127.0.0.1:1';
const env = {
  TUTTI_DATA_DIR: folder,
  TUTTI_HTTP_LISTEN: '127.0.0.1:0',
  TUTTI_OUTPUT_DRIVER: 'none',
  TUTTI_CLUSTER_LISTEN: '127.0.0.1:7420',
};
const checksOf = (stdout: string): Check[] => JSON.parse(stdout).checks;
const named = (checks: readonly Check[], name: string) => checks.find((check) => check.name === name)!;

t.test('on the real machine it measures the disk, judges each thing, and leaves nothing behind', async (t) => {
  const { exitCode, stdout } = await tutti(['doctor', '--json', '--node', NOBODY], { probe, env });
  const checks = checksOf(stdout);
  t.ok([0, 3].includes(exitCode));
  t.equal(
    exitCode === 3,
    checks.some(({ verdict }) => verdict === 'fail'),
  );
  t.match(named(checks, 'Node.js'), { verdict: 'ok', found: process.version });
  t.match(named(checks, 'data directory'), { verdict: 'ok' });
  t.match(named(checks, 'durable writes').found, /^a page takes [0-9.]+ ms, 99 % within [0-9.]+ ms/);
  t.match(named(checks, 'cluster key'), { verdict: 'note', found: 'there is none yet' });
  t.match(named(checks, 'node'), { verdict: 'note', found: 'none answers' });
  for (const name of [
    'file system',
    'space',
    'inbox',
    'http.listen',
    'cluster.listen',
    'sound card',
    'clock',
    'GPIO',
  ]) {
    t.ok(named(checks, name), name);
  }
  t.same(readdirSync(folder), []);
});

t.test('a key that others can read and a port that is taken are found, and said with what to do', async (t) => {
  writeFileSync(join(folder, 'cluster.key'), 'ab'.repeat(32), { mode: 0o644 });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const settings = { probe, env: { ...env, TUTTI_HTTP_LISTEN: `127.0.0.1:${port}` } };
  const { exitCode, stdout } = await tutti(['doctor', '--node', NOBODY], settings);
  t.equal(exitCode, 3);
  t.match(
    stdout,
    /^warn +cluster key +.*mode 0644: others than its owner can read it\n +Whoever has the key.*chmod 600/m,
  );
  t.match(stdout, new RegExp(`^fail +http.listen +127.0.0.1:${port} is taken by another program`, 'm'));
  t.match(stdout, /[0-9]+ failures?, [0-9]+ warnings?\.\n$/);
});

t.test('where a node runs, its own complaints stand in the report', async (t) => {
  const node = new FakeNode();
  await node.start();
  t.teardown(() => node.stop());
  node.state = {
    alerts: [
      { code: 'NO_QUORUM', severity: 'error', nodeId: null, trackId: null, sinceNs: '0' },
      { code: 'FROM_THE_FUTURE', severity: 'info', nodeId: null, trackId: null, sinceNs: '0' },
    ],
  };
  const { exitCode, stdout } = await tutti(['doctor', '--json', '--node', node.url], { probe, env });
  const checks = checksOf(stdout);
  t.equal(exitCode, 3);
  t.match(named(checks, 'node'), { verdict: 'ok', found: /^kitchen .* answers: it is a leader/ });
  const alerts = checks.filter(({ name }) => name === 'alert');
  t.match(alerts, [
    { verdict: 'fail', found: /^NO_QUORUM: / },
    { verdict: 'note', found: /^FROM_THE_FUTURE: a newer node/ },
  ]);
});
