/** A card that loses the batch with which it made a command chosen, while it was far behind: the command is not taken for nothing. */
import t from 'tap';
import { FakePeerLink } from '../../src/ports/fake-peer-link.js';
import { bytes, TestCluster, type TestNode, turn } from './cluster.js';

const PAGE_BYTES = 4_096;
/** More than a batch of the stores of these tests holds. */
const BEHIND_SLOTS = 60;

/** Makes the last page of a file unreadable that holds anything. */
function breakLastPage({ disk }: TestNode, path: string): void {
  const file = disk.open(path, 'read');
  const page = new Uint8Array(PAGE_BYTES);
  let last = 0;
  for (let at = 0; at < file.size(); at += PAGE_BYTES) {
    file.read(page, at);
    if (page.some((byte) => byte !== 0)) last = at;
  }
  file.close();
  disk.breakPage(path, last);
}

t.test(
  'what was answered is there, though of the two cards that had it one lost it and the other is away',
  async (t) => {
    // A snapshot takes a while over a slow network: what is asked for on the bulk connection has not come yet.
    const { send } = FakePeerLink.prototype;
    let isBulkSlow = true;
    FakePeerLink.prototype.send = function slowly(to, channel, content) {
      return channel === 'bulk' && isBulkSlow ? true : send.call(this, to, channel, content);
    };
    t.teardown(() => {
      FakePeerLink.prototype.send = send;
    });
    const cluster = await new TestCluster('abc').start();
    await cluster.awaitLeader();
    await cluster.pass(1_000);
    const lead = cluster.leader!;
    const [behind, other] = cluster.nodes.filter((node) => node !== lead) as [TestNode, TestNode];
    await behind.kill();
    for (let n = 0; n < BEHIND_SLOTS; n++) await cluster.settle(lead.replica.propose(bytes(`old ${n}`)));
    await cluster.pass(200);
    await other.kill();
    const answer = lead.replica.propose(bytes('the command'));
    let isAnswered = false;
    void answer.then(() => {
      isAnswered = true;
    });
    await cluster.pass(800);
    await behind.start();
    while (!isAnswered) {
      cluster.time.advance(0.1);
      await turn();
    }
    t.ok(
      behind.replica.status().appliedSlot < BEHIND_SLOTS,
      'it had accepted the command, and knew nothing of what came before',
    );
    await cluster.settle(behind.kill());
    await cluster.settle(lead.kill());
    isBulkSlow = false;
    for (const path of ['consensus/log-0000', 'consensus/identifiers']) breakLastPage(behind, path);
    await cluster.settle(behind.start());
    await cluster.settle(other.start());
    await cluster.pass(10_000);
    for (const node of [behind, other]) {
      t.not(node.replica.status().role, 'leader', 'these two cannot know what was chosen, and do not guess');
    }
    await cluster.settle(lead.start());
    await cluster.awaitLeader();
    await cluster.settle(other.replica.propose(bytes('another')));
    await cluster.pass(1_000);
    for (const { recorder } of cluster.nodes) t.ok(recorder.texts.includes('the command'));
    for (const { failures } of cluster.nodes) t.same(failures, []);
  },
);
