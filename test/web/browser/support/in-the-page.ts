/** Pieces of code that run in a page before its own, so that a journey can see what no reader sees. Each adds something to `window`. */

/** `streams`: every event stream that the page has opened; `told`: the newest view that one of them brought, and `toldMs`, when it did. */
export const WATCH_STREAMS = `
  window.streams = [];
  window.told = null;
  window.EventSource = class extends EventSource {
    constructor(...how) {
      super(...how);
      window.streams.push(this);
      this.addEventListener('state', ({ data }) => {
        window.told = JSON.parse(data);
        window.toldMs = performance.now();
      });
    }
  };
`;

/** `syncAsks`: how often the page has asked how the rooms keep in step. */
export const COUNT_SYNC = `
  {
    window.syncAsks = 0;
    const { fetch } = window;
    window.fetch = (...how) => {
      if (String(how[0]).endsWith('/sync')) window.syncAsks += 1;
      return fetch(...how);
    };
  }
`;

/** The first stream tells more than a page that is not there yet can keep; behind WATCH_STREAMS. */
export const TELL_MUCH = `
  window.EventSource = class extends EventSource {
    constructor(...how) {
      super(...how);
      if (window.streams.length > 1) return;
      queueMicrotask(() => {
        for (let times = 0; times < 1_000; times += 1) this.dispatchEvent(new MessageEvent('ping', { data: '{}' }));
      });
    }
  };
`;

/**
 * `holdViews()`: from now on no view comes through, though the stream is heard; `giveViews()`: all that came meanwhile, and whatever comes. So a
 * reader can press what the page believes to be possible.
 */
export const HOLD_VIEWS = `
  {
    let held = null;
    window.holdViews = () => { held ??= []; };
    window.giveViews = () => {
      const due = held ?? [];
      held = null;
      for (const give of due) give();
    };
    const Native = window.EventSource;
    window.EventSource = class extends Native {
      addEventListener(name, take, ...how) {
        if (name !== 'state') return super.addEventListener(name, take, ...how);
        super.addEventListener(name, (event) => (held === null ? take(event) : held.push(() => take(event))), ...how);
      }
    };
  }
`;

/** `uploadTexts`: what the row of each upload came to say, by title; `uploadAnswers`: what the node answered, and when. */
export const WATCH_UPLOADS = `
  window.uploadTexts = {};
  window.uploadAnswers = [];
  new MutationObserver(() => {
    for (const row of document.querySelectorAll('.uploads li')) {
      const title = row.querySelector('.row-title').textContent;
      const text = row.querySelector('.row-beside').textContent;
      const texts = (window.uploadTexts[title] ??= []);
      if (texts.at(-1)?.text !== text) texts.push({ text, atMs: performance.now() });
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
  window.XMLHttpRequest = class extends XMLHttpRequest {
    constructor() {
      super();
      this.addEventListener('load', () => {
        const { pathname: path } = new URL(this.responseURL);
        window.uploadAnswers.push({ path, status: this.status, atMs: performance.now() });
      });
    }
  };
`;

/** `look(state)`: makes the page believe that its tab is 'hidden' or 'visible'. A headless browser takes every tab for a visible one. */
export const COVER = `
  {
    let state = window.startsHidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', { get: () => state });
    Object.defineProperty(document, 'hidden', { get: () => state === 'hidden' });
    window.look = (to) => {
      state = to;
      document.dispatchEvent(new Event('visibilitychange'));
    };
  }
`;

/** `timers`: how many timers are set at the moment. */
export const COUNT_TIMERS = `
  {
    const live = new Set();
    const { setTimeout, setInterval, clearTimeout, clearInterval } = window;
    Object.defineProperty(window, 'timers', { get: () => live.size });
    window.setTimeout = (callback, delayMs, ...rest) => {
      const id = setTimeout(() => (live.delete(id), callback(...rest)), delayMs);
      live.add(id);
      return id;
    };
    window.setInterval = (callback, everyMs, ...rest) => {
      const id = setInterval(callback, everyMs, ...rest);
      live.add(id);
      return id;
    };
    window.clearTimeout = window.clearInterval = (id) => {
      live.delete(id);
      clearTimeout(id);
    };
  }
`;

/**
 * `sample()`: where the page's bar is before and after it asks the node where the song is, all of it milliseconds. Null while the page has not
 * been told what the node says, or was told a moment ago: it is to be right about what it knows. Needs {@link WATCH_STREAMS}.
 */
export const SAMPLE_POSITION = `
  {
    const SHOWN_MS = 250;
    const bar = () => {
      const [animation] = document.querySelector('.progress-cover').getAnimations();
      const { duration } = animation.effect.getTiming();
      // Its own clock goes by frames, and a busy machine draws few of them.
      const ms = animation.startTime === null ? animation.currentTime : performance.now() - animation.startTime;
      return { ms: Math.min(Number(ms), duration), duration };
    };
    const same = (a, b) => ['status', 'itemId', 'startAtNs'].every((key) => a[key] === b[key]) && a.changedBy?.atNs === b.changedBy?.atNs;
    window.sample = async () => {
      const ask = async (path) => (await fetch('/api/v1' + path)).json();
      const { transport } = await ask('/state');
      const before = bar();
      const { timeNs } = await ask('/time');
      const after = bar();
      const { told, toldMs } = window;
      if (told === null || !same(transport, told.transport) || performance.now() - toldMs < SHOWN_MS) return null;
      const { status, positionMs, durationMs, atNs, startAtNs } = transport;
      const [at, startAt, now] = [atNs, startAtNs, timeNs].map(BigInt);
      const sinceMs = Number(now - (at > startAt ? at : startAt)) / 1e6;
      const nodeMs = status === 'playing' ? positionMs + Math.max(0, sinceMs) : positionMs;
      if (nodeMs >= durationMs) return null;
      return { status, beforeMs: before.ms, nodeMs, afterMs: after.ms, durationMs };
    };
  }
`;

/** What {@link SAMPLE_POSITION} gives. */
export interface PositionSample {
  readonly status: string;
  readonly beforeMs: number;
  readonly nodeMs: number;
  readonly afterMs: number;
  readonly durationMs: number;
}

/** By how much a page is off, at least: what the sample's own width could explain is not held against it. Milliseconds. */
export const offBy = ({ beforeMs, nodeMs, afterMs }: PositionSample): number =>
  Math.max(0, Math.min(beforeMs, afterMs) - nodeMs, nodeMs - Math.max(beforeMs, afterMs));
