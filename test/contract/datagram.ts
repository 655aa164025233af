/** What every Datagram keeps, on a network that loses nothing. */
import type { Test } from 'tap';
import { type Address, DATAGRAM_BYTES_MAX, type Datagram } from '../../src/ports/datagram.js';
import type { Time } from '../../src/ports/time.js';
import { codeOf, type Pass, rejectionOf, until } from './support.js';

export interface DatagramSetup {
  readonly time: Time;
  readonly pass: Pass;
  /** A socket that is not started yet, for any port or the given one. All made by one set-up reach one another. */
  make(port?: number): Datagram;
}

/** What a socket got. */
interface Received {
  readonly bytes: Uint8Array;
  readonly from: Address;
  readonly receivedAt: bigint;
}

export const runDatagramContract = (t: Test, name: string, setup: () => DatagramSetup): Promise<unknown> =>
  t.test(`${name} keeps the contract of Datagram`, async (t) => {
    /** Two sockets that are started, with what the second one got. */
    const pair = async (t: Test) => {
      const { time, pass, make } = setup();
      const [a, b] = [make(), make()];
      const received: Received[] = [];
      const addressOfA = await a.start(() => t.fail('nothing was sent to a'));
      const addressOfB = await b.start((bytes, from, receivedAt) => received.push({ bytes, from, receivedAt }));
      t.teardown(async () => {
        await a.stop();
        await b.stop();
      });
      return { a, b, addressOfA, addressOfB, received, time, pass, make };
    };

    await t.test('a datagram arrives whole, with its sender’s address and the time of its arrival', async (t) => {
      const { a, addressOfA, addressOfB, received, time, pass } = await pair(t);
      const sentAt = time.now();
      a.send(Uint8Array.of(1, 2, 3), addressOfB);
      await until(() => received.length > 0, pass, 'it arrives');
      const [first] = received;
      t.same([...first!.bytes], [1, 2, 3]);
      t.same(first!.from, addressOfA);
      t.ok(first!.receivedAt >= sentAt && first!.receivedAt <= time.now());
    });

    await t.test('the sender may use its bytes again at once, the receiver may keep them', async (t) => {
      const { a, addressOfB, received, pass } = await pair(t);
      const bytes = new Uint8Array(1);
      for (bytes[0] = 0; bytes[0] < 20; bytes[0]++) a.send(bytes, addressOfB);
      await until(() => received.length === 20, pass, 'all arrive');
      t.same(
        received.map((datagram) => datagram.bytes[0]).sort((x, y) => x! - y!),
        Array.from({ length: 20 }, (_, i) => i),
      );
    });

    await t.test('empty and largest datagrams arrive, larger ones are refused', async (t) => {
      const { a, addressOfB, received, pass } = await pair(t);
      a.send(new Uint8Array(0), addressOfB);
      a.send(new Uint8Array(DATAGRAM_BYTES_MAX).fill(7), addressOfB);
      await until(() => received.length === 2, pass, 'both arrive');
      t.same(
        received.map((datagram) => datagram.bytes.length).sort((x, y) => x - y),
        [0, DATAGRAM_BYTES_MAX],
      );
      t.equal(
        codeOf(() => a.send(new Uint8Array(DATAGRAM_BYTES_MAX + 1), addressOfB)),
        'BAD_REQUEST',
      );
    });

    await t.test('what is sent to nobody is dropped, and the socket lives on', async (t) => {
      const { a, addressOfB, received, pass, make } = await pair(t);
      const gone = make();
      const addressOfGone = await gone.start(() => t.fail('it is gone'));
      await gone.stop();
      for (let i = 0; i < 5; i++) a.send(Uint8Array.of(0), addressOfGone);
      a.send(Uint8Array.of(1), addressOfB);
      await until(() => received.length > 0, pass, 'what is sent to somebody arrives');
      t.equal(received.length, 1);
    });

    await t.test('before start and after stop sending does nothing', async (t) => {
      const { a, b, addressOfB, received, pass, make } = await pair(t);
      const stopped = make();
      stopped.send(Uint8Array.of(1), addressOfB);
      await stopped.start(() => {});
      await stopped.stop();
      stopped.send(Uint8Array.of(2), addressOfB);
      a.send(Uint8Array.of(3), addressOfB);
      await until(() => received.length > 0, pass, 'what a started one sends arrives');
      t.same(
        received.map((datagram) => [...datagram.bytes]),
        [[3]],
      );
      await b.stop();
    });

    await t.test('a taken port is refused, and free again after stop', async (t) => {
      const { b, addressOfB, make } = await pair(t);
      const second = make(addressOfB.port);
      t.equal(await rejectionOf(second.start(() => {})), 'PORT_IN_USE');
      await second.stop();
      await b.stop();
      const third = make(addressOfB.port);
      t.same(await third.start(() => {}), addressOfB);
      await third.stop();
    });
  });
