/** UDP on this machine's loopback keeps the contract of Datagram. */
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { SystemTime } from '../../../src/io/time/system-time.js';
import { UdpDatagram } from '../../../src/io/udp/udp-datagram.js';
import { runDatagramContract } from '../../contract/datagram.js';
import {
  passRealTime,
  processHandles,
  rejectionOf,
  runLifecycleContract,
  settled,
  until,
} from '../../contract/support.js';

const time = new SystemTime();
const make = (port = 0) => new UdpDatagram({ time }, { host: '127.0.0.1', port });

await runDatagramContract(t, 'UdpDatagram on IPv4', () => ({ time, pass: passRealTime, make }));

const hasIpv6 = networkInterfaces().lo?.some((address) => address.family === 'IPv6') ?? false;
if (hasIpv6) {
  await runDatagramContract(t, 'UdpDatagram on IPv6', () => ({
    time,
    pass: passRealTime,
    make: (port = 0) => new UdpDatagram({ time }, { host: '::1', port }),
  }));
} else {
  t.test('UdpDatagram on IPv6', { skip: 'this machine has no IPv6 on its loopback' }, () => {});
}

await runLifecycleContract(t, 'UdpDatagram', async () => {
  const sender = make();
  await sender.start(() => {});
  const probe = make();
  const { port } = await probe.start(() => {});
  await probe.stop();
  const datagram = make(port);
  let calls = 0;
  return {
    start: () => datagram.start(() => calls++),
    stop: () => datagram.stop(),
    provoke: () => sender.send(Uint8Array.of(1), { host: '127.0.0.1', port }),
    calls: () => calls,
    hasHandlers: true,
    pass: passRealTime,
    timers: () => time.running(),
    handles: processHandles,
    close: () => sender.stop(),
  };
});

t.test('an address that this machine does not have is refused', async (t) => {
  // TEST-NET-1 (RFC 5737): nobody has it.
  const datagram = new UdpDatagram({ time }, { host: '192.0.2.1', port: 0 });
  t.equal(await rejectionOf(datagram.start(() => {})), 'PORT_IN_USE');
  await datagram.stop();
});

t.test('a host that is no address is refused, and never looked up', async (t) => {
  const bound = new UdpDatagram({ time }, { host: 'localhost', port: 0 });
  t.equal(await rejectionOf(bound.start(() => {})), 'PORT_IN_USE');
  const [a, b] = [make(), make()];
  const addressOfB = await b.start((bytes) => received.push(bytes[0]!));
  const received: number[] = [];
  await a.start(() => {});
  a.send(Uint8Array.of(1), { host: 'localhost', port: addressOfB.port });
  a.send(Uint8Array.of(2), addressOfB);
  await until(() => received.length > 0, passRealTime, 'what is sent to an address arrives');
  t.same(received, [2]);
  await a.stop();
  await b.stop();
});

t.test('stop during start waits for it, and frees the port', async (t) => {
  const before = await settled(processHandles, passRealTime);
  const datagram = make();
  const started = datagram.start(() => {});
  await datagram.stop();
  t.match(await started, { host: '127.0.0.1' });
  await until(() => `${processHandles()}` === `${before}`, passRealTime, 'no handle is left');
});
