/**
 * The node's event stream. What it carries is handed on; whether it lives is not for the browser to say (model/link.ts).
 *
 * The first is opened when this module is loaded, which is before the page is: the node's first word comes while the page is still being
 * fetched and made. A page that nobody sees opens none.
 */
import type { PingEvent, QueueEvent, StateEvent, TracksEvent } from '../../http/schema.js';
import { nowMs } from './timers.js';

/** Who hears the stream. `heard` comes before each of the others; `cameMs`: when the event came, which may be a while ago. */
export interface StreamListener {
  readonly heard: () => void;
  readonly failed: () => void;
  readonly state: (event: StateEvent, cameMs: number) => void;
  readonly queue: (event: QueueEvent) => void;
  readonly tracks: (event: TracksEvent) => void;
  readonly ping: (event: PingEvent, cameMs: number) => void;
}

/** What the node calls its events, and what a browser calls the end of a stream. */
const NAMES = ['state', 'queue', 'tracks', 'ping', 'error'] as const;

/** A stream that nobody listens to yet, and what it has told so far. */
interface Unheard {
  readonly source: EventSource;
  readonly told: { readonly event: Event; readonly cameMs: number }[];
}

const newSource = () => new EventSource('/api/v1/events');

/** A page that is not there after so much was told does better to hear it anew. */
const TOLD_MAX = 100;

let first: Unheard | null = document.visibilityState === 'hidden' ? null : { source: newSource(), told: [] };
for (const name of NAMES)
  first?.source.addEventListener(name, (event) => {
    if (first === null) return;
    first.told.push({ event, cameMs: nowMs() });
    if (first.told.length > TOLD_MAX) dropUnheard();
  });

/** Closes the first, where nobody has listened to it: the page was covered before it was there, or is too long in coming. */
export function dropUnheard(): void {
  first?.source.close();
  first = null;
}

/** Opens a stream; the function that it gives closes it, and nothing is heard of it any more. */
export function openStream(listener: StreamListener): () => void {
  const { source, told } = first ?? { source: newSource(), told: [] };
  first = null;
  let isOpen = true;
  for (const name of NAMES) source.addEventListener(name, (event) => hear(event, nowMs()));
  // Whoever opens a stream does not expect to hear of it at once.
  queueMicrotask(() => {
    for (const { event, cameMs } of told) hear(event, cameMs);
  });
  return close;

  function hear(event: Event, cameMs: number): void {
    if (!isOpen) return;
    const json = event.type === 'error' ? null : parsed((event as MessageEvent<string>).data);
    if (json === null) {
      // The browser would try again by itself, by its own clock; the page has one of its own.
      close();
      listener.failed();
      return;
    }
    listener.heard();
    const take = listener[event.type as Exclude<(typeof NAMES)[number], 'error'>] as (
      told: unknown,
      cameMs: number,
    ) => void;
    take(json, cameMs);
  }

  function close(): void {
    isOpen = false;
    source.close();
  }
}

/** Half an event, from something between here and the node, is the end of a stream and not of the page. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
