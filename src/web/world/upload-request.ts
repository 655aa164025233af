/** Sending one file. XMLHttpRequest, since it alone says how far it is; the browser reads the file as it goes. */
import { type Refusal, refusalOf, writeHeaders } from './api.js';

/** What came of it. */
export type Sent =
  | { readonly ok: true; readonly trackId: string; readonly slot: number | null }
  | { readonly ok: false; readonly refusal: Refusal };

/** A file and under which names it is sent. */
export interface UploadInit {
  readonly file: Blob;
  readonly fileName: string;
  /** Names it for its progress, and for a repeat of the same. */
  readonly id: string;
  readonly token: string | null;
  readonly progress: (sentBytes: number) => void;
  readonly settled: (sent: Sent) => void;
}

/** Begins to send; the function that it gives breaks off, and nothing is heard of it any more. */
export function sendFile({ file, fileName, id, token, progress, settled }: UploadInit): () => void {
  const request = new XMLHttpRequest();
  request.open('PUT', `/api/v1/tracks/${encodeURIComponent(fileName)}`);
  const headers = { ...writeHeaders(token), 'Tutti-Upload': id, 'Idempotency-Key': id, 'Content-Type': 'audio/wav' };
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.addEventListener('progress', ({ loaded }) => progress(loaded));
  request.addEventListener('load', () => settled(outcomeOf(request)));
  request.addEventListener('error', () =>
    settled({ ok: false, refusal: { code: 'NO_ANSWER', detail: '', problem: {} } }),
  );
  request.send(file);
  return () => request.abort();
}

function outcomeOf(request: XMLHttpRequest): Sent {
  const json = parsed(request.responseText);
  const isTrack = typeof json === 'object' && json !== null && 'id' in json && typeof json.id === 'string';
  if (request.status !== 201 || !isTrack) return { ok: false, refusal: refusalOf(json) };
  const slot = request.getResponseHeader('tutti-slot');
  return { ok: true, trackId: json.id as string, slot: slot === null ? null : Number(slot) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
