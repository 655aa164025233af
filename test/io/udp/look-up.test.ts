/** Where datagrams for a peer go, and what its owner hears where they cannot. */
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { lookUpFor } from '../../../src/io/udp/look-up.js';

/** What `hosts` come to for a socket that is bound to `listenHost`, one after another, and what was said meanwhile. */
function look(listenHost: string, ...hosts: readonly string[]) {
  const told: string[] = [];
  const lookUp = lookUpFor(listenHost, (text, { address }) => void told.push(`${address}: ${text}`));
  const found: (string | null)[] = [];
  for (const host of hosts) lookUp(host, (address) => found.push(address));
  return { found, told };
}

t.test('an address is itself, at once', async (t) => {
  const [zone] = Object.keys(networkInterfaces());
  const hosts = ['10.0.0.1', 'fd00::2', `fe80::1%${zone}`, 'fe80::1%3'];
  t.same(look('::', ...hosts), { found: hosts, told: [] });
});

t.test('an address that the socket does not reach is none, and its owner hears why, once', async (t) => {
  const { found, told } = look('0.0.0.0', 'fd00::2', '10.0.0.1', 'fd00::2');
  t.same(found, [null, '10.0.0.1', null]);
  t.equal(told.length, 1);
  t.match(told[0], /^fd00::2: .* cluster\.listen is an IPv4 one/);
});

t.test('a zone that this machine does not have is none', async (t) => {
  const { found, told } = look('::', 'fe80::1%nowhere0');
  t.same(found, [null]);
  t.match(told, [/no network interface called nowhere0/]);
});

t.test('a name is asked of the system, of the family that the socket has', async (t) => {
  const address = await new Promise<string | null>((resolve) => lookUpFor('0.0.0.0', () => {})('localhost', resolve));
  t.equal(address, '127.0.0.1');
});
