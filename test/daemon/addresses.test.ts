import t from 'tap';
import { type Config, parseConfig } from '../../src/config/config.js';
import { clockAddress, httpHost, ownAddresses, peerAddress, watchUrl } from '../../src/daemon/addresses.js';
import { FakeTime } from '../../src/ports/fake-time.js';

const configOf = (cluster: string, http = ''): Config =>
  parseConfig(`[cluster]\n${cluster}\n[http]\n${http}`, {}, { hostname: 'kitchen' });

t.test('peers are told the address that is advertised, else the one listened on, else that of the machine', (t) => {
  t.equal(peerAddress(configOf('advertise = "10.0.0.2:99"')), '10.0.0.2:99');
  t.equal(peerAddress(configOf('advertise = "10.0.0.2"')), '10.0.0.2:7420');
  t.equal(peerAddress(configOf('listen = "10.0.0.3:7421"')), '10.0.0.3:7421');
  t.equal(peerAddress(configOf('listen = "[::1]:7421"')), '[::1]:7421');
  const [, host] = /^(.*):7420$/.exec(peerAddress(configOf('')))!;
  t.ok(['127.0.0.1', ...ownAddresses()].includes(host!));
  t.end();
});

t.test('the clock is bound where peers are told to look, a zone and all, and a name is looked up', async (t) => {
  t.same(await clockAddress({ host: 'fe80::1%eth0', port: 7420 }), { host: 'fe80::1%eth0', port: 7420 });
  t.same(await clockAddress({ host: 'localhost', port: 7421 }), { host: '127.0.0.1', port: 7421 });
});

t.test('HTTP is found where it listens, else where peers find the node', (t) => {
  t.equal(httpHost(configOf('', 'listen = "127.0.0.1:0"')), '127.0.0.1');
  t.equal(httpHost(configOf('advertise = "10.0.0.2"')), '10.0.0.2');
  t.ok(['127.0.0.1', ...ownAddresses()].includes(httpHost(configOf(''))));
  t.end();
});

t.test('where a machine gets its address after the start, or another one, others are told', (t) => {
  const time = new FakeTime();
  let address = '127.0.0.1';
  const told: string[] = [];
  const watch = watchUrl(
    time,
    () => `http://${address}:8080`,
    (url) => told.push(url),
  );
  const pass = () => time.advance(10_000);
  pass();
  t.same(told, []);
  for (address of ['192.168.1.20', '192.168.1.21']) pass();
  pass();
  t.same(told, ['http://192.168.1.20:8080', 'http://192.168.1.21:8080']);
  watch.cancel();
  t.same(time.running(), []);
  t.end();
});
