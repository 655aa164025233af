/** What nodes tell each other beside the log arrives, and writes nothing. */
import t from 'tap';
import { bytes, TestCluster } from './cluster.js';

t.test('what one tells all others hear, and nothing is written for it', async (t) => {
  const cluster = await new TestCluster('123').start();
  await cluster.awaitLeader();
  await cluster.pass(1_000);
  const [one, two, three] = cluster.nodes;
  const before = one!.replica.status().appliedSlot;
  one!.replica.tell(bytes('hello'));
  await cluster.until(() => two!.recorder.heard.length > 0 && three!.recorder.heard.length > 0, 'both heard it');
  t.strictSame(two!.recorder.heard, ['1: hello']);
  t.strictSame(three!.recorder.heard, ['1: hello']);
  t.strictSame(one!.recorder.heard, []);
  t.equal(one!.replica.status().appliedSlot, before);
  await cluster.stop();
  one!.replica.tell(bytes('nobody is there'));
});
