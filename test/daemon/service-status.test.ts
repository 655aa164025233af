/** What `systemctl status` shows of a node. */
import t from 'tap';
import { serviceStatus } from '../../src/daemon/service-status.js';
import { buildHouse } from '../support/house.js';

const URL = 'http://kitchen:8080';

t.test('a node says what it is, who is there, and what plays', async (t) => {
  const { house, node } = buildHouse();
  await house.start();
  t.match(serviceStatus(house, URL), /^leader, 1\/1 nodes, stopped/);
  const codes = node.alerts().map(({ code }) => code);
  t.equal(serviceStatus(house, URL), ['leader, 1/1 nodes, stopped', ...codes].join(', '));
  await house.stop();
});

t.test('a daemon that belongs to no house says what it waits for, or why it takes no part', async (t) => {
  const { house } = buildHouse({ isMember: false });
  await house.start();
  t.equal(serviceStatus(house, URL), 'waits for tutti init or tutti join, at http://kitchen:8080');
  t.match(serviceStatus({ node: null, trouble: 'DISK_FAILED' }, URL), /^takes no part: DISK_FAILED/);
  await house.stop();
});
