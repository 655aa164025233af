/** Clients that ask without a pause: one after another, or many at once. */
import type { Answer } from './http-client.js';
import { HttpConnection } from './http-client.js';
import { percentile } from './statistics.js';

/** Makes the n-th request. */
export type Requests = (n: number) => Buffer;

/** How long answers took, milliseconds. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Summary of single latencies, milliseconds. @throws RangeError for none */
export const latenciesOf = (values: readonly number[]): Latencies => ({
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
  max: percentile(values, 1),
});

/** Refuses an answer that is none of those that a benchmark counts. @throws Error */
export function mustBeDone({ status, body }: Answer): void {
  if (status !== 200) throw new Error(`answered ${status}: ${body.slice(0, 300)}`);
}

/** Asks one request after another over one connection, and gives what each took in milliseconds. */
export async function oneByOne(port: number, requests: Requests, count: number): Promise<number[]> {
  const connection = await HttpConnection.open(port);
  const took: number[] = [];
  for (let n = 0; n < count; n++) {
    const bytes = requests(n);
    const sentAt = performance.now();
    const answer = await connection.send(bytes);
    took.push(performance.now() - sentAt);
    mustBeDone(answer);
  }
  connection.close();
  return took;
}

/** Asks over `connections` connections at once, each one after another, `count` requests in all; gives answers per second. */
export async function atOnce(port: number, requests: Requests, connections: number, count: number): Promise<number> {
  const open = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(port)));
  let next = 0;
  const startedAt = performance.now();
  const client = async (connection: HttpConnection) => {
    while (next < count) mustBeDone(await connection.send(requests(next++)));
  };
  await Promise.all(open.map(client));
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const connection of open) connection.close();
  return count / seconds;
}
