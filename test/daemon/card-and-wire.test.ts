/** A daemon's card before it is a node: this file runs itself again in a mount namespace, on a file system that is too small for a log. */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { parseConfig } from '../../src/config/config.js';
import { CardAndWire } from '../../src/daemon/card-and-wire.js';
import { SystemRandom } from '../../src/io/random/system-random.js';
import { SystemTime } from '../../src/io/time/system-time.js';
import { FakeLog } from '../../src/ports/fake-log.js';
import { peerPortOf, temporaryFolder } from '../support/daemon.js';
import { mounted, noOwnMounts } from '../support/own-mounts.js';

/** A port that nobody has. */
const LISTEN = `127.0.0.1:${await peerPortOf('card')}`;

function cardIn(t: Test, dataDir: string, listen = LISTEN): CardAndWire {
  const env = { TUTTI_DATA_DIR: dataDir, TUTTI_CLUSTER_LISTEN: listen };
  const config = parseConfig('', env, { hostname: 'kitchen' });
  const fatal = (error: unknown) => t.fail(String(error));
  const components = {
    time: new SystemTime(),
    log: new FakeLog(),
    random: new SystemRandom(),
    fatal,
    hardware: { leaderLamp: undefined, calls: undefined },
    machineTroubles: () => [],
  };
  const card = new CardAndWire(components, { config, version: '1' });
  t.teardown(() => card.stop());
  return card;
}

const request = (key: string) => ({ addresses: ['127.0.0.1:1'], key });
const { signal } = new AbortController();
const SMALL_DISK = process.env.TUTTI_TEST_SMALL_CARD;

if (SMALL_DISK === undefined) {
  t.test('a card without room for a log knocks at nobody’s door', { skip: noOwnMounts() }, (t) => {
    const [program, ...within] = mounted('mount -t tmpfs -o size=20m none "$TUTTI_TEST_SMALL_CARD"');
    const root = mkdtempSync(join(tmpdir(), 'tutti-small-'));
    t.teardown(() => rmSync(root, { recursive: true }));
    const env = { ...process.env, TUTTI_TEST_SMALL_CARD: root };
    const child = [...within, process.execPath, fileURLToPath(import.meta.url)];
    const { status, stdout } = spawnSync(program, child, { env, encoding: 'utf8' });
    t.equal(status, 0, stdout);
    t.end();
  });

  t.test('a key that was typed wrong is a mistake of the request, not of a file', async (t) => {
    await t.rejects(cardIn(t, temporaryFolder(t)).join(request('abc'), signal), {
      code: 'BAD_REQUEST',
      detail: /key: found 3 characters; right is/,
    });
  });

  t.test('where another program has the peers’ port, for TCP or UDP, no house is founded', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    t.teardown(() => server.close());
    t.teardown(() => socket.close());
    await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
    for (const { port } of [server.address() as AddressInfo, socket.address()]) {
      const dataDir = temporaryFolder(t);
      const card = cardIn(t, dataDir, `127.0.0.1:${port}`);
      await t.rejects(card.init(), { code: 'PORT_IN_USE', detail: /cluster\.listen sets another/ });
      await t.rejects(card.join(request('ab'.repeat(32)), signal), { code: 'PORT_IN_USE' });
      t.notOk(existsSync(join(dataDir, 'cluster.key')));
      t.notOk(await card.hasStore());
    }
  });

  t.test('a store that cannot be made leaves no key', async (t) => {
    const dataDir = temporaryFolder(t);
    writeFileSync(join(dataDir, 'consensus.new'), 'in the way');
    await t.rejects(cardIn(t, dataDir).init(), { code: 'FILE_EXISTS' });
    t.notOk(existsSync(join(dataDir, 'cluster.key')));
  });

  t.test('a join that fails is tried again as the same newcomer, by another process too', async (t) => {
    const dataDir = temporaryFolder(t);
    await t.rejects(cardIn(t, dataDir).join(request('ab'.repeat(32)), signal), { code: 'PEER_UNREACHABLE' });
    t.strictSame(readdirSync(dataDir), ['newcomer'], 'its key is not kept before it is known to be right');
    const card = cardIn(t, dataDir);
    await card.init();
    t.notOk(existsSync(join(dataDir, 'newcomer')), 'the store holds its ids now');
    t.ok(await card.hasStore());
  });
} else {
  t.test('a small disk', async (t) => {
    const card = cardIn(t, SMALL_DISK);
    const full = { code: 'DISK_FULL', detail: /takes 1[45][0-9] MB, .* has (19|20) MB free/ };
    await t.rejects(card.init(), full);
    await t.rejects(card.join(request('ab'.repeat(32)), signal), full);
    t.strictSame(readdirSync(SMALL_DISK), [], 'and nothing is left of it');
  });
}
