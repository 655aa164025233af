/**
 * The page as a node serves it: its files from memory, compressed when they were built, so that a request costs the node a look-up.
 *
 * Only the document has something of this node in it, and nothing secret: the name, and the build by which a page notices that it is older
 * than its daemon. Its policy lets nothing in that this node did not serve, and lets it ask other nodes of the house whether they
 * answer: those that were known when the document was sent.
 */
import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isKnown } from './known.js';

/** How a file is sent, by what it is written in. */
export type Coding = 'identity' | 'gzip' | 'br';

/** The files of a built page, by their paths from its root, such as `assets/index-4f2a.js`, each in all three codings. */
export type WebFiles = ReadonlyMap<string, Readonly<Record<Coding, Uint8Array>>>;

/** What the document says of the node that serves it. */
export interface WebHost {
  readonly name: string;
  /** Origins of the other nodes, such as `http://192.168.1.7:8080`, as they are known at the moment. */
  readonly peers: () => readonly string[];
}

const DOCUMENT = 'index.html';
/** Names of these carry a hash of what is in them. Seconds: a year. */
const FOREVER = 'public, max-age=31536000, immutable';
const REVALIDATE = 'no-cache';

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
};

/** The media type of a file, by its name. */
const typeOf = (path: string): string => TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';

/** What the page may do: nothing but what it is for. `styles`: of those in the document itself; `peers`: origins that it may ask for a sign of life. */
export const contentSecurityPolicy = (styles: readonly string[], peers: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    ["style-src 'self'", ...styles].join(' '),
    "img-src 'self' data:",
    ['connect-src', "'self'", ...peers].join(' '),
    "font-src 'self'",
    "manifest-src 'self'",
    "media-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

/** The styles within a document, as a policy names them: by what is in them (Content Security Policy Level 3, section 2.3.1). */
export const stylesIn = (text: string): readonly string[] =>
  Array.from(
    text.matchAll(/<style>(.*?)<\/style>/gs),
    ([, style]) => `'sha256-${createHash('sha256').update(style!).digest('base64')}'`,
  );

/** An origin, and nothing that could be read as a further word of the policy. */
const isOrigin = (text: string): boolean => /^https?:\/\/[A-Za-z0-9.:[\]-]+$/.test(text);

/** Names the build: the same for the same files, another one where any differs. Empty where there is no page. */
export function buildOf(files: WebFiles): string {
  if (files.size === 0) return '';
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) hash.update(path).update('\0').update(files.get(path)!.identity);
  return hash.digest('hex').slice(0, 12);
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The codings that the caller takes, the shortest first. */
const codingFor = ({ headers }: FastifyRequest): Coding => {
  const accepted = String(headers['accept-encoding'] ?? '').toLowerCase();
  const takes = (coding: string) =>
    accepted.split(',').some((part) => {
      const [name, ...parameters] = part.split(';').map((text) => text.trim());
      return name === coding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    });
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : 'identity';
};

/** The addresses at which the page and its files are found. */
export const webPaths = (files: WebFiles): readonly string[] =>
  [...files.keys()].map((path) => (path === DOCUMENT ? '/' : `/${path}`));

/** Serves the page at `/`, and its files beside it. Each file has an address of its own: there is no path to lead astray. */
export function serveWeb(app: FastifyInstance, files: WebFiles, { name, peers }: WebHost): void {
  const build = buildOf(files);
  for (const [path, file] of files) {
    if (path === DOCUMENT) continue;
    const isHashed = path.startsWith('assets/');
    const etag = `"${createHash('sha256').update(file.identity).digest('hex').slice(0, 16)}`;
    app.get(`/${path}`, (request, reply) => {
      const tag = { cacheControl: isHashed ? FOREVER : REVALIDATE };
      return send(request, reply, { file, type: typeOf(path), etag, ...tag });
    });
  }
  const document = files.get(DOCUMENT);
  if (document === undefined) return;
  const text = Buffer.from(document.identity)
    .toString('utf8')
    .replaceAll('%BUILD%', build)
    .replaceAll('%NODE%', escapeHtml(name));
  const identity = Buffer.from(text);
  const file = { identity, gzip: gzipSync(identity, { level: 9 }), br: brotliCompressSync(identity) };
  const styles = stylesIn(text);
  app.get('/', (request, reply) => {
    const policy = contentSecurityPolicy(styles, peers().filter(isOrigin));
    reply.header('content-security-policy', policy).header('permissions-policy', PERMISSIONS);
    // A copy that is kept is kept with its policy: another policy is another document.
    const etag = `"${createHash('sha256').update(identity).update(policy).digest('hex').slice(0, 16)}`;
    return send(request, reply, { file, type: typeOf(DOCUMENT), etag, cacheControl: REVALIDATE });
  });
}

/** What a page could ask a browser for, and this one never does. */
const PERMISSIONS = ['camera', 'geolocation', 'microphone', 'payment', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ');

interface Sent {
  readonly file: Readonly<Record<Coding, Uint8Array>>;
  readonly type: string;
  /** Without the closing quote: each coding is a representation of its own (RFC 9110, section 8.8.3.3). */
  readonly etag: string;
  readonly cacheControl: string;
}

function send(request: FastifyRequest, reply: FastifyReply, { file, type, etag, cacheControl }: Sent): FastifyReply {
  const coding = codingFor(request);
  reply
    .header('vary', 'accept-encoding')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
  if (isKnown({ etag: `${etag}-${coding}"`, cacheControl }, request, reply)) return reply.code(304).send();
  if (coding !== 'identity') reply.header('content-encoding', coding);
  return reply.type(type).send(file[coding]);
}
