/** Pages with nothing in them but what cannot be left out, beside which those of a node are measured: what they take is what this machine takes. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Ends } from '../../support/daemon.js';

const HEAD = '<!doctype html><meta name="viewport" content="width=device-width"><title>bare</title>';
const TEXT = '<p id="text">Nothing</p>';
/** As often as a node says a word. Milliseconds. */
const WORD_MS = 3_000;

/** Listens to words, as the page must. */
const HEARS = `<script>
  let word = null;
  new EventSource('/words').addEventListener('ping', ({ data }) => { word = JSON.parse(data); });
</script>`;
/** A song of a minute goes on: a bar that the browser moves, and a figure each second. */
const PLAYS = `<script>
  const text = document.getElementById('text');
  text.animate([{ transform: 'translateX(-100%)' }, { transform: 'none' }], 60_000);
  setInterval(() => { text.textContent = new Date().toISOString(); }, 1_000);
</script>`;

const PAGES: Readonly<Record<string, string>> = {
  '/': HEAD + TEXT,
  '/paused': HEAD + TEXT + HEARS,
  '/playing': HEAD + TEXT + HEARS + PLAYS,
};

/** Their address: `/` is empty, at `/paused` words are heard, and at `/playing` a song goes on as well. */
export async function serveBarePages(bench: Ends): Promise<string> {
  const listeners = new Set<ServerResponse>();
  const server = createServer(({ url = '' }, response) => {
    if (url === '/words') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
      return;
    }
    response.writeHead(PAGES[url] === undefined ? 404 : 200, { 'content-type': 'text/html' });
    response.end(PAGES[url]);
  });
  const words = setInterval(() => {
    for (const listener of listeners) listener.write('event: ping\ndata: {"timeNs":"1","tracksRev":1}\n\n');
  }, WORD_MS);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bench.teardown(() => {
    clearInterval(words);
    server.closeAllConnections();
    server.close();
  });
  return `http://bare.local:${(server.address() as AddressInfo).port}`;
}
