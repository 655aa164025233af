/** Buttons and lamps of real daemons, at chips that are preloaded into them (test/gpio/fake-chip.c). */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadSerialport } from '../../src/io/serial/serialport.js';
import { buildFakeChip, PreloadedChip } from '../gpio/chip.js';
import { Daemon, temporaryFolder, until } from '../support/daemon.js';
import { formHouse, kill, NODE_NAMES, type NodeName, song, stateOf } from '../support/three-nodes.js';

const PLAY = 5;
const PAUSE = 6;
const SKIP = 16;
const LEADER_LED = 26;
const STATUS_LED = 13;

/** The program that ships, beside the compiled tests. */
const MAIN = fileURLToPath(new URL('../../tutti/main.js', import.meta.url));

const built = buildFakeChip();
const skip = 'missing' in built && built.missing;
const serialport = loadSerialport();
const noSocat =
  'missing' in serialport
    ? serialport.missing
    : existsSync('/usr/bin/socat')
      ? false
      : 'no socat here: apt-get install socat';
const library = 'missing' in built ? '' : built.library;

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A finger on a button, for as long as fingers take. */
async function press(chip: PreloadedChip, line: number): Promise<void> {
  chip.ground(line, true);
  await wait(60);
  chip.ground(line, false);
  await wait(60);
}

const envOf = (chip: PreloadedChip) => ({ ...chip.env, TUTTI_GPIO_STATUS_LED: `${STATUS_LED}` });

const alertsOf = async (daemon: Daemon) => (await stateOf(daemon)).alerts.map(({ code }) => code as string);

const extrasOf = (chips: Record<NodeName, PreloadedChip>) =>
  Object.fromEntries(NODE_NAMES.map((name) => [name, { env: envOf(chips[name]) }]));

async function songs(daemon: Daemon, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    await daemon.upload(`song ${i}.wav`, song(i));
    await daemon.call('POST', '/queue', { trackId: `song ${i}` });
  }
}

/** Waits until a node shows what is expected of its transport. */
async function plays(daemon: Daemon, status: string, title: string): Promise<void> {
  let last: unknown;
  const isSo = async () => {
    const { transport } = await stateOf(daemon);
    last = transport;
    return transport.status === status && transport.title === title;
  };
  await until(`${status}: ${title}`, isSo, () => last);
}

await t.test('a node alone: its buttons play, pause and skip, its lamp shines until it ends', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const chip = new PreloadedChip({ folder: join(folder, 'chip'), library });
  const daemon = await Daemon.start(t, { dataDir: join(folder, 'data'), env: envOf(chip) });
  await until('the leader lamp is lit', () => chip.isHigh(LEADER_LED));
  await songs(daemon, 2);
  await press(chip, PLAY);
  await plays(daemon, 'playing', 'song 1');
  t.match((await stateOf(daemon)).transport.changedBy, { via: 'button' });
  await press(chip, SKIP);
  await plays(daemon, 'playing', 'song 2');
  await press(chip, PAUSE);
  await plays(daemon, 'paused', 'song 2');
  await daemon.call('DELETE', '/queue');
  await press(chip, SKIP);
  await press(chip, SKIP);
  await until('a press that is refused blinks', () => chip.isHigh(STATUS_LED));
  t.equal(await daemon.end(), 0);
  t.equal(chip.isHigh(LEADER_LED), false);
  t.equal(chip.isHigh(STATUS_LED), false);
});

await t.test('a node whose main thread hangs does not shine beyond its lease', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const chip = new PreloadedChip({ folder: join(folder, 'chip'), library });
  const hang = fileURLToPath(new URL('../gpio/hang.js', import.meta.url));
  const env = { ...envOf(chip), NODE_OPTIONS: `--import ${hang}` };
  const daemon = await Daemon.start(t, { dataDir: join(folder, 'data'), env });
  await until('the leader lamp is lit', () => chip.isHigh(LEADER_LED));
  daemon.process.kill('SIGUSR2');
  await until('it is dark', () => !chip.isHigh(LEADER_LED));
  await until('it is lit again when the thread goes on', () => chip.isHigh(LEADER_LED));
  await daemon.end();
});

await t.test(
  'a lamp that a killed node has left lit is switched off by tutti lamp-off, and by what the unit runs',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const chip = new PreloadedChip({ folder: join(folder, 'chip'), library });
    const dataDir = join(folder, 'data');
    for (const [program, said] of [
      [[MAIN, 'lamp-off', '--data', dataDir], '2 lamps off.\n'],
      [[MAIN.replace('main.js', 'lamps-off.js')], ''],
    ] as const) {
      const daemon = await Daemon.start(t, { dataDir, env: envOf(chip) });
      await until('the leader lamp is lit', () => chip.isHigh(LEADER_LED));
      await daemon.end('SIGKILL');
      t.equal(chip.isHigh(LEADER_LED), true);
      const off = spawnSync(process.execPath, program, {
        env: { PATH: process.env.PATH, ...envOf(chip) },
        encoding: 'utf8',
      });
      t.match(off, { status: 0, stdout: said });
      t.equal(chip.isHigh(LEADER_LED), false);
    }
  },
);

await t.test('a front panel plays, is shown what plays, and may come late', { skip: noSocat }, async (t) => {
  const folder = temporaryFolder(t);
  const [port, far] = [join(folder, 'port'), join(folder, 'far')];
  const daemon = await Daemon.start(t, { dataDir: join(folder, 'data'), env: { TUTTI_PANEL_PORT: port } });
  await until('the alert is there', async () => (await alertsOf(daemon)).includes('PANEL_UNAVAILABLE'));
  await songs(daemon, 1);
  const socat = spawn('socat', [`pty,rawer,link=${port}`, `pty,rawer,link=${far}`], { stdio: 'ignore' });
  t.teardown(() => socat.kill());
  await until('the panel is there', () => existsSync(far));
  const panel = openSync(far, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOCTTY);
  let told = '';
  const hears = (line: string) =>
    until(
      line,
      () => {
        const bytes = Buffer.alloc(4_096);
        try {
          told += bytes.toString('latin1', 0, readSync(panel, bytes));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        }
        return told.split('\n').includes(line);
      },
      () => told,
    );
  await hears('S stopped 0:00 0:00');
  await hears('N kitchen leader 1/1');
  writeSync(panel, 'what?\nPLAY\n');
  await hears('E BAD_LINE');
  await hears('T song 1');
  await hears('S playing 0:01 0:20');
  await plays(daemon, 'playing', 'song 1');
  t.match((await stateOf(daemon)).transport.changedBy, { via: 'panel' });
  t.notOk((await alertsOf(daemon)).includes('PANEL_UNAVAILABLE'));
  closeSync(panel);
  await daemon.end();
});

await t.test('a daemon that is ended at once, with no orderly end, leaves its lamp dark', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const chip = new PreloadedChip({ folder: join(folder, 'chip'), library });
  const dataDir = join(folder, 'data');
  const daemon = await Daemon.start(t, { dataDir, env: envOf(chip) });
  await until('the leader lamp is lit', () => chip.isHigh(LEADER_LED));
  // The second signal ends it at once, by process.exit and no orderly end.
  daemon.process.kill('SIGTERM');
  await daemon.end();
  t.equal(chip.isHigh(LEADER_LED), false);
});

await t.test('lines that are in use, and a chip of another kind: the node starts and says so', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const chip = new PreloadedChip({ folder: join(folder, 'chip'), library });
  for (const line of [PLAY, PAUSE, SKIP, LEADER_LED]) chip.take(line, 'another program');
  const daemon = await Daemon.start(t, { dataDir: join(folder, 'data'), env: envOf(chip) });
  await until('the alert is there', async () => (await alertsOf(daemon)).includes('GPIO_UNAVAILABLE'));
  t.match(daemon.errors.join(''), /line 26 .* is in use by another program/);
  t.match(daemon.errors.join(''), /play: line 5 .* is in use by another program/);
  await daemon.end();

  const none = await Daemon.start(t, {
    dataDir: join(folder, 'none'),
    env: { TUTTI_TEST_GPIO_ROOT: join(folder, 'nowhere'), TUTTI_GPIO_DRIVER: 'chardev' },
  });
  await until('the alert is there', async () => (await alertsOf(none)).includes('GPIO_UNAVAILABLE'));
  t.match(none.errors.join(''), /no GPIO chip/);
  await none.end();
});

await t.test('a configuration with mistakes: the node starts, does without them, and says so', { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const chip = new PreloadedChip({ folder: join(folder, 'chip'), library });
  const env = {
    ...envOf(chip),
    TUTTI_GPIO_PLAY: '99',
    TUTTI_OUTPUT_VOLUME_LIMIT: 'loud',
    TUTTI_PANEL_PROT: '/dev/ttyS0',
  };
  const daemon = await Daemon.start(t, { dataDir: join(folder, 'data'), env });
  await until('the alert is there', async () => (await alertsOf(daemon)).includes('BAD_CONFIG'));
  await songs(daemon, 2);
  await daemon.call('POST', '/transport/play');
  await plays(daemon, 'playing', 'song 1');
  await press(chip, SKIP);
  await plays(daemon, 'playing', 'song 2');
  for (const mistake of [
    /gpio\.play .*found 99/,
    /output\.volume_limit .*found \\"loud\\"/,
    /TUTTI_PANEL_PROT: there is no such/,
  ]) {
    t.match(daemon.errors.join(''), mistake);
  }
  await daemon.end();
});

await t.test(
  'three nodes: presses while the leader dies count once each, and the lamp passes on',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const chips = Object.fromEntries(
      NODE_NAMES.map((name) => [name, new PreloadedChip({ folder: join(folder, `chip-${name}`), library })]),
    ) as Record<NodeName, PreloadedChip>;
    const house = await formHouse(t, folder, extrasOf(chips));
    await songs(house.kitchen, 5);
    const lit = () => NODE_NAMES.filter((name) => chips[name].isHigh(LEADER_LED));
    await until('one lamp is lit', () => lit().length === 1);
    const leader = lit()[0]!;
    const others = NODE_NAMES.filter((name) => name !== leader);
    const [first, second] = others as [NodeName, NodeName];
    await press(chips[first], PLAY);
    await plays(house[first], 'playing', 'song 1');

    await kill(house[leader]);
    // One press at each of those that are left, before anybody knows that nobody leads.
    await press(chips[first], SKIP);
    await plays(house[second], 'playing', 'song 2');
    await press(chips[second], SKIP);
    await plays(house[first], 'playing', 'song 3');
    // What was asked for again meanwhile would have come by now: each node asks once a second.
    await wait(1_500);
    await plays(house[second], 'playing', 'song 3');

    // A process that was killed cannot switch a plain line off: that is for ExecStopPost.
    await until('one lamp of those that live is lit', () => lit().filter((name) => name !== leader).length === 1);
    t.equal(chips[leader].isHigh(LEADER_LED), true, 'the one that was killed shines on');
    for (const name of others) t.equal(await house[name].end(), 0);
    t.strictSame(
      lit().filter((name) => name !== leader),
      [],
    );
  },
);
