/** The line to the node: what the page hears is all that it goes by. */
import t from 'tap';
import {
  CONNECT_MS_MAX,
  HIDDEN_MS_MAX,
  type Link,
  type LinkEffect,
  type LinkEvent,
  lostForMs,
  NO_LINK,
  SILENCE_MS_AT_RETURN,
  SILENCE_MS_MAX,
  stepLink,
  wakeMs,
} from '../../../src/web/model/link.js';

/** A page's life on a clock of its own: time passes, and what is due happens. */
class Life {
  link: Link = NO_LINK;
  nowMs = 1_000;
  readonly effects: (readonly [atMs: number, effect: LinkEffect])[] = [];

  on(event: LinkEvent): this {
    const [link, effect] = stepLink(this.link, event, this.nowMs);
    this.link = link;
    if (effect !== null) this.effects.push([this.nowMs, effect]);
    return this;
  }

  /** `ms` milliseconds pass; `each` is called once in each 3 s of them, as the node's pings come. */
  pass(ms: number, each: () => void = () => {}): this {
    const endMs = this.nowMs + ms;
    let pingMs = this.nowMs + 3_000;
    for (;;) {
      const nextMs = Math.min(wakeMs(this.link), pingMs, endMs);
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (this.nowMs === pingMs) {
        each();
        pingMs += 3_000;
      } else if (this.nowMs >= endMs) return this;
      else this.on('time');
    }
  }

  opened(): number[] {
    return this.effects.filter(([, effect]) => effect === 'open').map(([atMs]) => atMs);
  }
}

const live = () => new Life().on('shown').on('heard');

t.test('a line that is heard stays', (t) => {
  const life = live();
  life.pass(60_000, () => life.on('heard'));
  t.same(life.opened(), [1_000]);
  t.equal(life.link.phase, 'live');
  t.equal(lostForMs(life.link, life.nowMs), 0);
  t.end();
});

t.test('ten seconds without a word are the end of a stream, whatever the browser calls it', (t) => {
  const life = live().pass(SILENCE_MS_MAX - 1);
  t.same(life.opened(), [1_000]);
  life.pass(2);
  t.same(life.opened(), [1_000, 1_000 + SILENCE_MS_MAX], 'the first try comes at once');
  t.equal(lostForMs(life.link, life.nowMs), SILENCE_MS_MAX + 1, 'and it was lost with its last word');
  t.end();
});

t.test('tries come further and further apart, and each is given up after four seconds', (t) => {
  const life = live().on('failed').pass(60_000);
  const gaps = life
    .opened()
    .slice(1)
    .map((atMs, at, all) => atMs - (all[at - 1] ?? atMs));
  t.same(
    gaps.slice(1, 6),
    [500, 1_000, 2_000, 4_000, 5_000].map((delay) => CONNECT_MS_MAX + delay),
  );
  t.equal(lostForMs(life.link, life.nowMs), 60_000, 'counted from the loss on');
  life.on('heard');
  t.match(life.link, { phase: 'live', tries: 0, lostMs: null });
  t.end();
});

t.test('chance puts a try off, so that pages that lost a node at once do not come back at once', (t) => {
  const lost: Link = { ...NO_LINK, phase: 'connecting', tries: 3 };
  const [early] = stepLink(lost, 'failed', 0, 0);
  const [late] = stepLink(lost, 'failed', 0, 1);
  t.equal(early.untilMs, 2_000);
  t.ok(late.untilMs > 2_000 && late.untilMs < 4_000);
  t.end();
});

t.test('a page that nobody sees lets go of its stream after ten seconds, and does nothing then', (t) => {
  const life = live().on('hidden');
  life.pass(HIDDEN_MS_MAX - 1, () => life.on('heard'));
  t.equal(life.link.phase, 'live');
  life.pass(600_000);
  t.same(life.effects.at(-1), [1_000 + HIDDEN_MS_MAX, 'close']);
  t.equal(wakeMs(life.link), Number.POSITIVE_INFINITY);
  t.equal(lostForMs(life.link, life.nowMs), 0, 'nothing is missed that is not wanted');
  life.on('failed').on('heard').on('time');
  t.equal(life.link.phase, 'resting');
  life.on('shown');
  t.same(life.effects.at(-1), [life.nowMs, 'open'], 'at once');
  t.end();
});

t.test('a page that is looked at again within a moment keeps its stream', (t) => {
  const life = live().on('hidden').pass(1_000).on('shown').pass(1_000);
  t.same(life.opened(), [1_000]);
  t.end();
});

t.test('who comes back after a silence does not wait for the watchdog, nor disturbs a try', (t) => {
  const silent = live().pass(SILENCE_MS_AT_RETURN).on('shown');
  t.equal(silent.opened().length, 2);
  silent.on('shown');
  t.equal(silent.opened().length, 2);
  t.end();
});
