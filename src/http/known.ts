/** Answers that a caller has already (RFC 9110, sections 8.8 and 13.1.2). */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** How an answer is named, and for how long a cache may go by that. */
export interface Tag {
  /** With its quotes, and `W/` in front where answers of one name may differ in what hardly matters. */
  readonly etag: string;
  readonly cacheControl: string;
}

/** Names the answer in its headers; true where the caller has it: then 304 is the answer. */
export function isKnown({ etag, cacheControl }: Tag, request: FastifyRequest, reply: FastifyReply): boolean {
  reply.header('etag', etag).header('cache-control', cacheControl);
  return isAmong(request.headers['if-none-match'], etag);
}

/** Compared weakly, as `If-None-Match` is. */
export function isAmong(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const plain = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => plain(tag) === plain(etag));
}
