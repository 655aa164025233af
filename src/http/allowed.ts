/** Which methods an address takes (RFC 9110, section 10.2.1), by the table of calls. */
import { API_PREFIX } from './openapi.js';
import type { Route } from './route.js';

/** Tells the methods for the path of a request, the header `Allow` in alphabetical order; none where there is nothing at that path. */
export function allowedMethods(
  routes: readonly Pick<Route, 'method' | 'path' | 'atRoot'>[],
): (path: string) => readonly string[] {
  const known = routes.map(({ method, path, atRoot }) => ({
    // HEAD of a stream would never end.
    methods: method === 'GET' && path !== '/events' ? ['GET', 'HEAD'] : [method],
    pattern: new RegExp(`^${atRoot ? '' : API_PREFIX}${path.replace(/:\w+/g, '[^/]+')}$`),
  }));
  return (path) =>
    [...new Set(known.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))].sort();
}
