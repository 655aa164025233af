/**
 * Calls on the node. A change carries a key, so that it may be sent again where no answer came, and takes effect once; and it is given up
 * after 5 s, since a skip that was pressed a minute ago must not skip anything now.
 */
import type { ErrorCode } from '../../core/errors.js';
import type { Problem } from '../../http/schema.js';
import { after, nowMs } from './timers.js';

/** Why a change was not made. `NO_ANSWER`: nobody knows. */
export interface Refusal {
  readonly code: ErrorCode | 'NO_ANSWER';
  /** From the node, in English: what exactly was wrong. */
  readonly detail: string;
  /** Particulars, such as `trackId`. */
  readonly problem: Partial<Problem> & Readonly<Record<string, unknown>>;
}

/** What came of a change. `slot`: where the log holds it; null where the node did not say. */
export type Written<T = unknown> =
  | { readonly ok: true; readonly slot: number | null; readonly json: T }
  | { readonly ok: false; readonly slot: number | null; readonly refusal: Refusal };

/** How a change is asked for. */
export interface Write {
  readonly method: 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Below /api/v1. */
  readonly path: string;
  readonly body?: object;
  /** Milliseconds; a change of members may take longer than a press of a button. */
  readonly limitMs?: number;
}

const LIMIT_MS = 5_000;
const SENDS_MAX = 3;
const PREFIX = '/api/v1';

/** 16 random bytes in hexadecimal digits. Plain http has no `crypto.randomUUID`. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The headers of a change. */
export const writeHeaders = (token: string | null): Record<string, string> => ({
  'Tutti-Via': 'web',
  ...(token !== null && { Authorization: `Bearer ${token}` }),
});

/** Asks for a change; sends it again where the line broke, up to twice within the limit. Never rejects. */
export async function write<T>(
  { method, path, body, limitMs = LIMIT_MS }: Write,
  token: string | null,
): Promise<Written<T>> {
  const headers = { ...writeHeaders(token), 'Idempotency-Key': newKey(), 'Content-Type': 'application/json' };
  const giveUpMs = nowMs() + limitMs;
  const controller = new AbortController();
  const cancel = after(limitMs, () => controller.abort());
  const init = {
    method,
    headers,
    signal: controller.signal,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  try {
    for (let sends = 1; ; sends += 1) {
      try {
        return await outcomeOf<T>(await fetch(`${PREFIX}${path}`, init));
      } catch {
        if (sends === SENDS_MAX || nowMs() >= giveUpMs) return NO_ANSWER;
        await new Promise<void>((resolve) => after(200 * sends, resolve));
      }
    }
  } finally {
    cancel();
  }
}

const NO_ANSWER: Written<never> = {
  ok: false,
  slot: null,
  refusal: { code: 'NO_ANSWER', detail: '', problem: {} },
};

async function outcomeOf<T>(response: Response): Promise<Written<T>> {
  const told = response.headers.get('tutti-slot');
  const slot = told === null ? null : Number(told);
  const text = await response.text();
  const json: unknown = text === '' ? {} : JSON.parse(text);
  return response.ok ? { ok: true, slot, json: json as T } : { ok: false, slot, refusal: refusalOf(json) };
}

/** What a problem of the node (RFC 9457) says; anything else is a node that does not speak as one. */
export function refusalOf(json: unknown): Refusal {
  const problem = (typeof json === 'object' && json !== null ? json : {}) as Refusal['problem'];
  const code = (typeof problem.code === 'string' ? problem.code : 'BAD_ANSWER') as ErrorCode;
  return { code, detail: typeof problem.detail === 'string' ? problem.detail : '', problem };
}

/** Reads JSON. Null where nothing came of it: whoever asks asks again. */
export async function read<T>(path: string, limitMs = LIMIT_MS): Promise<T | null> {
  const response = await get(path, limitMs);
  if (response === null) return null;
  try {
    return (await response.json()) as T;
  } catch {
    return null;
  }
}

/** Reads bytes. Null where nothing came of it. */
export async function readBytes(path: string): Promise<Uint8Array | null> {
  const response = await get(path, LIMIT_MS);
  if (response === null) return null;
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    return null;
  }
}

async function get(path: string, limitMs: number): Promise<Response | null> {
  const controller = new AbortController();
  const cancel = after(limitMs, () => controller.abort());
  try {
    const response = await fetch(`${PREFIX}${path}`, { signal: controller.signal });
    return response.ok ? response : null;
  } catch {
    return null;
  } finally {
    cancel();
  }
}
