/** Buttons, status lamp and panel before a node that is alone, with fake time. */
import t, { type Test } from 'tap';
import { Controls } from '../../src/node/controls.js';
import { FakeButtons, FakeLamp, FakePanel } from '../../src/ports/fake-controls.js';
import { addSong, buildHouse, NODE_ID } from '../support/house.js';
import { song } from '../support/three-nodes.js';

const BY = { node: NODE_ID, via: 'api' } as const;
/** What was set going comes to its end. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function begin(t: Test, init: { readonly isMember?: boolean; readonly songs?: number } = {}) {
  const { isMember = true, songs = 3 } = init;
  let controls: Controls | undefined;
  const made = buildHouse({ isMember, machineTroubles: () => controls?.troubles() ?? [] });
  const { time, log, house, node } = made;
  const buttons = new FakeButtons({ time });
  const lamp = new FakeLamp();
  const panel = new FakePanel();
  controls = new Controls({ time, log, house, buttons, statusLamp: lamp, panel });
  await house.start();
  await controls.start();
  t.teardown(async () => {
    await controls.stop();
    await house.stop();
  });
  if (isMember) {
    for (let i = 1; i <= songs; i++) await addSong(node, `song ${i}.wav`, song(i));
    if (songs > 0)
      await node.wishes.enqueue(
        Array.from({ length: songs }, (_, i) => `song ${i + 1}`),
        {},
        BY,
      );
  }
  const press = async (button: 'play' | 'pause' | 'skip') => {
    buttons.down(button);
    time.advance(50);
    buttons.up(button);
    time.advance(50);
    await turn();
  };
  const type = async (text: string) => {
    panel.type(Buffer.from(text, 'latin1'));
    await turn();
  };
  const transport = () => node.cluster.view(node.now()).transport;
  /** What the panel got since the last look. */
  const told = () => panel.received.splice(0);
  return { ...made, controls, buttons, lamp, panel, press, type, transport, told };
}

t.test('play, pause and skip do as they say, and the queue knows who asked', async (t) => {
  const { press, transport } = await begin(t);
  await press('play');
  t.match(transport(), { status: 'playing', title: 'song 1', changedBy: { node: NODE_ID, via: 'button' } });
  await press('skip');
  t.match(transport(), { status: 'playing', title: 'song 2' });
  await press('pause');
  t.match(transport(), { status: 'paused', title: 'song 2' });
  await press('pause');
  await press('play');
  await press('play');
  t.match(transport(), { status: 'playing', title: 'song 2' });
});

t.test('a press is one command, however the contact bounces and however long it is held', async (t) => {
  const { time, node, buttons } = await begin(t);
  await node.wishes.play({}, BY);
  const { appliedSlot } = node.cluster;
  for (let i = 0; i < 5; i++) {
    buttons.down('skip');
    time.advance(1);
    buttons.up('skip');
    time.advance(1);
  }
  buttons.down('skip');
  time.advance(1_000);
  await turn();
  t.equal(node.cluster.appliedSlot, appliedSlot + 1);
  t.equal(node.cluster.view(node.now()).transport.title, 'song 2');
});

t.test('three quick presses of skip skip three songs', async (t) => {
  const { time, node, buttons, transport } = await begin(t, { songs: 5 });
  await node.wishes.play({}, BY);
  for (let i = 0; i < 3; i++) {
    buttons.down('skip');
    time.advance(40);
    buttons.up('skip');
    time.advance(40);
  }
  await turn();
  t.match(transport(), { title: 'song 4' });
});

t.test('a song that somebody else has skipped meanwhile is not skipped twice, and nothing blinks', async (t) => {
  const { node, consensus, buttons, lamp, transport } = await begin(t);
  await node.wishes.play({}, BY);
  const { itemId } = transport();
  buttons.down('skip');
  await node.wishes.skip({ expectItem: itemId! }, BY);
  await turn();
  t.match(transport(), { title: 'song 2' }, 'both meant song 1');
  t.equal(lamp.lit, false);
  t.equal(consensus.status().quorum, true);
});

t.test('two buttons at once: both count, and the later one has the last word', async (t) => {
  const { time, buttons, transport } = await begin(t);
  buttons.down('pause');
  time.advance(0.5);
  buttons.down('play');
  await turn();
  t.equal(transport().status, 'playing');
});

t.test('a press that the house refuses is told at once: fast blinking, and its code on the panel', async (t) => {
  const { time, node, panel, lamp, press, told } = await begin(t, { songs: 0 });
  panel.plugIn();
  told();
  await press('play');
  t.strictSame(told(), ['E QUEUE_EMPTY']);
  t.equal(lamp.lit, true);
  time.advance(100);
  t.equal(lamp.lit, false);
  time.advance(500);
  t.match(node.alerts(), [{ code: 'PRESS_REFUSED', severity: 'info' }], 'and on the page, for a while');
  time.advance(10_000);
  t.strictSame(node.alerts(), []);
});

t.test(
  'without a majority the lamp blinks slowly, and a press is refused at once instead of coming later',
  async (t) => {
    const { time, consensus, node, panel, lamp, press, transport, told } = await begin(t);
    await node.wishes.play({}, BY);
    panel.plugIn();
    consensus.setQuorum(false);
    time.advance(2_100);
    t.ok(told().includes('E NO_QUORUM'));
    t.equal(consensus.pendingCount, 0);
    await press('pause');
    t.equal(consensus.pendingCount, 0, 'nothing waits for the others');
    t.strictSame(
      told().filter((line) => line.startsWith('E')),
      ['E NO_QUORUM'],
    );
    t.equal(lamp.lit, true);
    time.advance(100);
    t.equal(lamp.lit, false, 'fast');
    consensus.setQuorum(true);
    time.advance(5_000);
    await turn();
    t.match(transport(), { status: 'playing' }, 'the press never comes');
    t.equal(lamp.lit, false, 'and nothing blinks any more');
  },
);

t.test('a daemon that belongs to no house says so to whoever presses', async (t) => {
  const { time, panel, lamp, press, told } = await begin(t, { isMember: false });
  panel.plugIn();
  t.strictSame(told(), ['T ', 'S stopped 0:00 0:00', 'N kitchen waiting 0/0', 'E NOT_A_MEMBER']);
  t.equal(lamp.lit, true);
  time.advance(500);
  t.equal(lamp.lit, false, 'slowly');
  await press('play');
  t.strictSame(told(), ['E NOT_A_MEMBER']);
});

t.test('a button that stays down is one press, and an alert after half a minute until it is let go', async (t) => {
  const { time, log, node, buttons, panel } = await begin(t);
  panel.plugIn();
  time.advance(500);
  const codes = () => node.alerts().map(({ code }) => code);
  buttons.down('skip');
  time.advance(29_000);
  t.strictSame(codes(), []);
  time.advance(2_000);
  t.strictSame(codes(), ['BUTTON_STUCK']);
  t.match(
    log.entries.filter(({ level }) => level === 'warn'),
    [{ fields: { button: 'skip' } }],
  );
  buttons.up('skip');
  time.advance(1_000);
  t.strictSame(codes(), []);
});

t.test('the panel plays, pauses, skips and turns the volume', async (t) => {
  const { node, panel, type, transport } = await begin(t);
  panel.plugIn();
  await type('PLAY\n');
  t.match(transport(), { status: 'playing', changedBy: { via: 'panel' } });
  await type('SKIP\r\nPAUSE\r\n');
  t.match(transport(), { status: 'paused', title: 'song 2' });
  await node.wishes.volume({ volume: 50 }, BY);
  await type('VOL +5\nVOL -15\n');
  t.equal(node.cluster.view(node.now()).volume, 40);
});

t.test('the panel gets the whole display when it comes and when it asks, and afterwards what changed', async (t) => {
  const { time, node, panel, type, told } = await begin(t);
  const whole = ['T song 1', 'S paused 0:00 0:20', 'N kitchen leader 1/1'];
  await node.wishes.play({}, BY);
  await node.wishes.pause({}, BY);
  time.advance(500);
  panel.plugIn();
  t.strictSame(told(), whole);
  await type('STATUS\n');
  t.strictSame(told(), whole);
  time.advance(10_000);
  t.strictSame(told(), [], 'nothing changed');
  await node.wishes.play({}, BY);
  time.advance(1_700);
  t.strictSame(told(), ['S playing 0:00 0:20', 'S playing 0:01 0:20']);
  await node.wishes.skip({}, BY);
  time.advance(20);
  t.strictSame(told(), ['T song 2', 'S playing 0:00 0:20']);
  panel.pullOut();
  time.advance(5_000);
  panel.plugIn();
  t.match(told(), ['T song 2', /^S playing 0:0[45] 0:20$/, 'N kitchen leader 1/1']);
});

t.test('garbage gets E BAD_LINE and nothing else, and an echo does not go round for ever', async (t) => {
  const { time, node, panel, type, told } = await begin(t);
  panel.plugIn();
  told();
  const { appliedSlot } = node.cluster;
  for (const garbage of ['play', 'PLAY ', 'VOL 5', 'VOL +0', 'VOL +500', 'VOL ++5', '', 'E BAD_LINE', '\xff\x00']) {
    await type(`${garbage}\n`);
    t.strictSame(
      told().filter((line) => !/^[TSN]/.test(line)),
      ['E BAD_LINE'],
      JSON.stringify(garbage),
    );
    time.advance(100);
  }
  t.equal(node.cluster.appliedSlot, appliedSlot);
  await type('E BAD_LINE\n'.repeat(1_000));
  t.strictSame(told(), ['E BAD_LINE'], 'one answer to a thousand');
});

t.test('what is missing is told, in the log and as an alert, and takes nothing else with it', async (t) => {
  const made = buildHouse({ machineTroubles: () => controls.troubles() });
  const { time, log, house, node } = made;
  const panel = new FakePanel();
  const lamp = new FakeLamp();
  lamp.broken = 'line 13 is in use by led0';
  const buttons = new FakeButtons({ time }, { missing: 'play: this user may not have it' });
  const controls: Controls = new Controls({ time, log, house, buttons, statusLamp: lamp, panel });
  await house.start();
  await controls.start();
  time.advance(500);
  t.strictSame(
    node.alerts().map(({ code }) => code),
    ['GPIO_UNAVAILABLE', 'PANEL_UNAVAILABLE'],
  );
  t.match(
    log.entries.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.why),
    ['line 13 is in use by led0', 'play: this user may not have it'],
  );
  panel.plugIn();
  time.advance(500);
  t.strictSame(
    node.alerts().map(({ code }) => code),
    ['GPIO_UNAVAILABLE'],
  );
  await controls.stop();
  await house.stop();
  t.strictSame(time.running(), []);
});
