/** What `systemctl status` shows of a node. */
import t from 'tap';
import { TuttiError } from '../../src/core/errors.js';
import { serviceStatus } from '../../src/daemon/service-status.js';
import type { MachineTrouble } from '../../src/node/machine-troubles.js';
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
  const troubles: MachineTrouble[] = [];
  const { house } = buildHouse({ isMember: false, machineTroubles: () => troubles });
  await house.start();
  t.equal(serviceStatus(house, URL), 'waits for tutti init or tutti join, at http://kitchen:8080');
  troubles.push('BAD_CONFIG');
  t.match(serviceStatus(house, URL), /^waits for .*, BAD_CONFIG, at http/);
  await house.stop();

  const { house: other } = buildHouse({ machineTroubles: () => troubles });
  other.standAside(new TuttiError('DISK_FAILED'));
  t.match(serviceStatus(other, URL), /^takes no part: DISK_FAILED, BAD_CONFIG;/);
});
