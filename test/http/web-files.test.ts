/** The page as it is served: compressed ahead, kept for ever where it never changes, and under a policy that lets nothing else in. */

import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import t from 'tap';
import { buildOf, contentSecurityPolicy, serveWeb, type WebFiles } from '../../src/http/web-files.js';
import { startHouse } from '../support/house.js';

const filesOf = (texts: Readonly<Record<string, string>>): WebFiles =>
  new Map(
    Object.entries(texts).map(([path, text]) => {
      const identity = Buffer.from(text);
      return [path, { identity, gzip: gzipSync(identity), br: brotliCompressSync(identity) }];
    }),
  );

const FILES = filesOf({
  'index.html': '<html data-build="%BUILD%"><title>%NODE%</title><style>a { color: red }</style>',
  'assets/index-4f2a.js': 'alert(1)',
  'icon.svg': '<svg/>',
});

/** `printf 'a { color: red }' | openssl dgst -sha256 -binary | base64` */
const STYLE = "'sha256-LHvAPItmcc9l4w10oslyz6Nh8tFuoEH5lssCs9WdKIE='";

const serve = (name = 'kitchen', peers: readonly string[] = []) => {
  const app = fastify();
  serveWeb(app, FILES, { name, peers: () => peers });
  return app;
};

t.test('the document says which build it is and whose, and asks to be looked at anew each time', async (t) => {
  const answer = await serve().inject({ url: '/' });
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  t.equal(answer.headers['cache-control'], 'no-cache');
  t.equal(answer.body, `<html data-build="${buildOf(FILES)}"><title>kitchen</title><style>a { color: red }</style>`);
  const again = await serve().inject({ url: '/', headers: { 'if-none-match': String(answer.headers.etag) } });
  t.equal(again.statusCode, 304);
});

t.test('the name of a node is text, whatever its owner calls it', async (t) => {
  const { body } = await serve('<script>"&\'').inject({ url: '/' });
  t.match(body, '<title>&#60;script&#62;&#34;&#38;&#39;</title>');
});

t.test('files with a hash in their names are kept for ever, and sent as the browser takes them', async (t) => {
  const app = serve();
  const ask = (encoding: string) =>
    app.inject({ url: '/assets/index-4f2a.js', headers: { 'accept-encoding': encoding } });
  const plain = await ask('identity');
  t.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  t.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
  t.equal(plain.headers['x-content-type-options'], 'nosniff');
  t.equal(plain.body, 'alert(1)');
  const packed = await ask('gzip, deflate');
  t.equal(packed.headers['content-encoding'], 'gzip');
  t.equal(gunzipSync(packed.rawPayload).toString(), 'alert(1)');
  t.equal((await ask('gzip, br')).headers['content-encoding'], 'br');
  t.equal((await ask('br;q=0, gzip;q=0.5')).headers['content-encoding'], 'gzip');
  t.not(packed.headers.etag, plain.headers.etag);
  t.equal((await app.inject({ url: '/icon.svg' })).headers['cache-control'], 'no-cache');
});

t.test('the policy names the other nodes, and nothing that could be read as another word of it', async (t) => {
  const peers = [
    "http://10.0.0.2:8080; script-src 'unsafe-inline'",
    'http://10.0.0.3:8080',
    'http://[fe80::1]:8080',
    '',
  ];
  const { headers } = await serve('kitchen', peers).inject({ url: '/' });
  const known = ['http://10.0.0.3:8080', 'http://[fe80::1]:8080'];
  t.equal(headers['content-security-policy'], contentSecurityPolicy([STYLE], known));
  t.match(headers['content-security-policy'], "connect-src 'self' http://10.0.0.3:8080 http://[fe80::1]:8080;");
  t.match(headers['content-security-policy'], "require-trusted-types-for 'script'");
  const other = await serve('kitchen', []).inject({ url: '/' });
  t.not(other.headers.etag, headers.etag, 'a copy is not kept with an old policy');
});

t.test('of styles in a document its policy lets in those that are there, and no other', async (t) => {
  const { headers } = await serve().inject({ url: '/' });
  t.match(headers['content-security-policy'], `style-src 'self' ${STYLE};`);
  t.match(contentSecurityPolicy([], []), "style-src 'self';");
});

t.test('a node without a built page answers all calls, and says of the page that there is none', async (t) => {
  const { http } = await startHouse(t);
  t.equal((await http.inject({ url: '/' })).statusCode, 404);
  t.equal((await http.inject({ url: '/api/v1/state' })).json().node.webBuild, '');
});

t.test('another method at an address of the page is told which there are', async (t) => {
  const { http } = await startHouse(t, { http: { web: FILES } });
  const headers = { host: 'kitchen.local' };
  t.equal((await http.inject({ url: '/', headers })).statusCode, 200);
  t.equal((await http.inject({ url: '/api/v1/state', headers })).json().node.webBuild, buildOf(FILES));
  const answer = await http.inject({ method: 'POST', url: '/', headers });
  t.match(answer, { statusCode: 405, headers: { allow: 'GET, HEAD' } });
  t.equal((await http.inject({ method: 'HEAD', url: '/', headers })).statusCode, 200);
  t.equal((await http.inject({ url: '/assets/../index.html', headers })).statusCode, 404);
});
