/** Who votes in a slot is said with each entry: the same at every node, whenever and from whatever it applies it. */
import t from 'tap';
import { type Slot, slot } from '../../src/core/ids.js';
import { bytes, TestCluster, type TestNode } from './cluster.js';

/** What nodes said of each slot: one thing. */
class Said {
  readonly #voters = new Map<Slot, string>();

  /** @throws Error where this node says something else of a slot than another did */
  hear({ recorder }: TestNode): void {
    for (const [slot, voters] of recorder.voters) {
      const known = this.#voters.get(slot) ?? voters;
      if (known !== voters) throw new Error(`slot ${slot}: "${voters}", and "${known}" elsewhere`);
      this.#voters.set(slot, voters);
    }
  }

  /** In the order of the log, each once for as long as it held. */
  get course(): readonly string[] {
    const inOrder = [...this.#voters].sort(([a], [b]) => a - b).map(([, voters]) => voters);
    return inOrder.filter((voters, at) => voters !== inOrder[at - 1]);
  }
}

/** A house that `a` founded, and which b and c have joined; something was agreed in each of its times. */
async function grown(): Promise<{ readonly cluster: TestCluster; readonly nodes: [TestNode, TestNode, TestNode] }> {
  const cluster = new TestCluster('a');
  const a = cluster.nodes[0]!;
  await a.format(cluster.configuration());
  await cluster.settle(a.start());
  await cluster.settle(a.replica.propose(bytes('alone')));
  const b = cluster.addNode('b');
  await cluster.admit(b, a);
  await cluster.settle(a.replica.propose(bytes('with one who learns')));
  const c = cluster.addNode('c');
  await cluster.admit(c, a);
  await cluster.until(() => a.replica.status().members.filter(({ voter }) => voter).length === 3, 'three vote');
  await cluster.settle(a.replica.propose(bytes('three vote')));
  return { cluster, nodes: [a, b, c] };
}

const hasAll = ({ recorder }: TestNode, last: string) => recorder.texts.includes(last);

t.test('who founded the house, who came later, and who starts anew say the same of every slot', async (t) => {
  const { cluster, nodes } = await grown();
  await cluster.until(() => nodes.every((node) => hasAll(node, 'three vote')), 'all have all');
  const said = new Said();
  for (const node of nodes) said.hear(node);
  // Of the time before anybody came in nothing stands in the log.
  t.strictSame(said.course, ['', 'aA', 'aA bB cC']);
  for (const node of nodes) {
    await node.kill();
    await cluster.settle(node.start());
    await cluster.until(() => hasAll(node, 'three vote'), 'it has applied its log anew');
    t.ok(node.recorder.voters.has(slot(1)), 'from the beginning');
    said.hear(node);
  }
  await cluster.stop();
});

t.test('a node that starts from a snapshot names those who voted then, whatever it knows of later times', async (t) => {
  const { cluster, nodes } = await grown();
  const [a, b, c] = nodes;
  const hasSnapshot = () => b.disk.list('consensus/snapshots').length > 0;
  for (let n = 0; !hasSnapshot(); n++) await cluster.settle(b.replica.propose(bytes(`entry ${n}`)));
  await cluster.settle(b.replica.propose(bytes('above the snapshot')));
  await cluster.settle(b.replica.changeMembers({ type: 'remove', node: c.id, acceptLoss: false }));
  await cluster.settle(b.replica.propose(bytes('without c')));
  await cluster.until(() => hasAll(a, 'without c'), 'told');
  const said = new Said();
  for (const node of nodes) said.hear(node);
  t.strictSame(said.course, ['', 'aA', 'aA bB cC', 'aA bB']);
  await b.kill();
  await cluster.settle(b.start());
  t.notOk(b.recorder.voters.has(slot(1)), 'not from the beginning');
  t.ok([...b.recorder.voters.values()].includes('aA bB cC'), 'and from before the change');
  await cluster.until(() => hasAll(b, 'without c'), 'it has applied its log anew');
  said.hear(b);
  await cluster.stop();
});
