/** What stands between the reader and the truth, at the head of the page, for as long as it does. Never in the way of what plays. */
import { useEffect, useState } from 'preact/hooks';
import { lostForMs, WORDS_AFTER_MS } from '../../model/link.js';
import { after, every, nowMs } from '../../world/timers.js';
import { useApp, useWords } from '../context.js';

/** The other nodes are asked whether they live, while this one is silent. Milliseconds. */
const PROBE_EVERY_MS = 6_000;
/** Rooms agree on another that leads within this time, mostly. Milliseconds. */
const ELECTION_MS = 1_500;

/** All banners that are due. */
export function Banners() {
  return (
    <>
      <LineBanner />
      <QuorumBanner />
      <UpdateBanner />
    </>
  );
}

/** Counts the seconds of a silence, once it is one. */
function LineBanner() {
  const app = useApp();
  const words = useWords();
  const isStale = app.store.isStale.value;
  const [now, setNow] = useState(nowMs());
  useEffect(() => {
    if (!isStale) return;
    setNow(nowMs());
    return every(1_000, () => setNow(nowMs()));
  }, [isStale]);
  // While all is well each word moves the link on, and there is nothing to draw.
  const link = isStale ? app.store.link.value : app.store.link.peek();
  const lostMs = lostForMs(link, now);
  const isShown = isStale && lostMs >= WORDS_AFTER_MS;
  useEffect(() => {
    const { name = '' } = app.store.state.peek()?.node ?? {};
    if (!isShown) return;
    app.notices.say(words.noLine);
    return () => {
      app.notices.say(words.reconnected(name));
      app.notices.withdraw(words.noLine);
    };
  }, [isShown, app, words]);
  useEffect(() => {
    if (!isShown) return;
    void app.peers.probe();
    return every(PROBE_EVERY_MS, () => void app.peers.probe());
  }, [isShown, app]);
  if (!isShown) return null;
  const answering = app.peers.answering.value;
  const name = app.store.state.value?.node.name ?? location.hostname;
  const heardS = link.heardMs === null ? null : Math.round((now - link.heardMs) / 1_000);
  return (
    <div class="banner banner-warn">
      <p>{heardS === null ? words.neverHeard(name) : words.noWord(name, heardS)}</p>
      {answering.length > 0 && (
        <p>
          {words.alsoAnswers}
          {answering.map(({ name, url }) => (
            <a key={url} class="peer" href={`${url}/${location.hash}`} rel="noreferrer">
              <bdi>{name}</bdi>
            </a>
          ))}
        </p>
      )}
    </div>
  );
}

/** Nothing can be agreed. An election that is over in a moment is not worth a word; that others are out of reach is, at once. */
function QuorumBanner() {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value;
  const isCutOff = state !== null && state.cluster.id !== null && !state.cluster.quorum && !app.store.isStale.value;
  const { votersOnline = 0, voters = 0, needed = 0 } = state?.cluster ?? {};
  const isElection = isCutOff && votersOnline >= needed;
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    setLasts(false);
    return isElection ? after(ELECTION_MS, () => setLasts(true)) : undefined;
  }, [isElection]);
  const name = state?.node.name ?? '';
  const text = !isCutOff ? '' : !isElection ? words.cutOff(name, votersOnline, voters) : lasts ? words.noLeader : '';
  useEffect(() => {
    if (text !== '') app.notices.alert.value = text;
  }, [text, app]);
  if (text === '') return null;
  return (
    <div class="banner banner-warn">
      <p>{text}</p>
    </div>
  );
}

/** The page is older than the node that it talks to. It is not loaded anew by itself: somebody may be in the middle of something. */
function UpdateBanner() {
  const app = useApp();
  const words = useWords();
  const build = app.store.state.value?.node.webBuild ?? '';
  const own = document.documentElement.dataset.build ?? '';
  // A page that a builder's server sends has no build.
  if (build === '' || own.startsWith('%') || build === own) return null;
  return (
    <div class="banner">
      <p>{words.updated}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        {words.reload}
      </button>
    </div>
  );
}
