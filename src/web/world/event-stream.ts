/**
 * The node's event stream. What it carries is handed on; whether it lives is not for the browser to say (model/link.ts).
 *
 * The first is opened when this module is loaded, which is before all others: so the node's first word is on its way while the page is still
 * being made. A page that nobody sees opens none.
 */
import type { PingEvent, QueueEvent, StateEvent, TracksEvent } from '../../http/schema.js';

/** Who hears the stream. `heard` comes before each of the others. */
export interface StreamListener {
  readonly heard: () => void;
  readonly failed: () => void;
  readonly state: (event: StateEvent) => void;
  readonly queue: (event: QueueEvent) => void;
  readonly tracks: (event: TracksEvent) => void;
  readonly ping: (event: PingEvent) => void;
}

const EVENTS = '/api/v1/events';

/** Until somebody listens, which is within the same turn: before that no browser hands out a word. */
let first = document.visibilityState === 'hidden' ? null : new EventSource(EVENTS);

/** Opens a stream; the function that it gives closes it, and nothing is heard of it any more. */
export function openStream(listener: StreamListener): () => void {
  const source = first ?? new EventSource(EVENTS);
  first = null;
  const on = <T>(name: string, take: (event: T) => void) => {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      const told = parsed<T>(event.data);
      if (told === null) return fail();
      listener.heard();
      take(told);
    });
  };
  on('state', listener.state);
  on('queue', listener.queue);
  on('tracks', listener.tracks);
  on('ping', listener.ping);
  // The browser would try again by itself, by its own clock; the page has one of its own.
  source.addEventListener('error', fail);
  return () => source.close();

  function fail(): void {
    source.close();
    listener.failed();
  }
}

/** Half an event, from something between here and the node, is the end of a stream and not of the page. */
function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
