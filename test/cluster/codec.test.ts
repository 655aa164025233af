import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { decodeProposal, encodeProposal, PROPOSAL_BYTES_MAX } from '../../src/cluster/codec.js';
import { COMMAND_VERSION, COMMAND_VERSIONS, COMMANDS, type Command, type Proposal } from '../../src/cluster/command.js';
import { pack } from '../../src/cluster/messagepack.js';
import { TuttiError } from '../../src/core/errors.js';
import { EXAMPLES } from './examples.js';
import { House, idOf, KITCHEN } from './house.js';

/** One line an example: its type, and its bytes in hex. UPDATE_GOLDEN=1 writes new lines at its end; it never changes one. */
const GOLDEN = 'test/golden/commands.txt';
const lines = EXAMPLES.map(
  (proposal) => `${proposal.command.type} ${Buffer.from(encodeProposal(proposal)).toString('hex')}`,
);

t.test('the log has the format that it always had', (t) => {
  const known = readFileSync(GOLDEN, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  t.same(lines.slice(0, known.length), known);
  if (process.env.UPDATE_GOLDEN === '1') {
    const added = lines.slice(known.length).map((line) => `${line}\n`);
    writeFileSync(GOLDEN, readFileSync(GOLDEN, 'utf8') + added.join(''));
  } else {
    t.equal(known.length, lines.length, 'every example has its line (UPDATE_GOLDEN=1 adds what is new)');
  }
  for (const [k, line] of known.entries()) {
    t.same(decodeProposal(Buffer.from(line.split(' ')[1]!, 'hex')), EXAMPLES[k], 'and is read as what it was');
  }
  t.end();
});

t.test('the examples have every type of command, and each has its form', (t) => {
  t.same([...new Set(EXAMPLES.map((example) => example.command.type))].sort(), Object.keys(COMMANDS).sort());
  t.same(Object.keys(COMMAND_VERSIONS).sort(), Object.keys(COMMANDS).sort());
  const house = new House();
  const itself = EXAMPLES.find(({ command }) => command.type === 'node.describe')!;
  house.done(1, { ...itself.command, commandVersion: COMMAND_VERSION } as Command);
  for (const example of EXAMPLES) t.doesNotThrow(() => house.cluster.check(example), example.command.type);
  t.end();
});

t.test('fields of a newer version survive, at every level', (t) => {
  const proposal = {
    command: { type: 'transport.seek', positionMs: 1, gently: { how: ['very', 2n] } },
    origin: { node: KITCHEN, via: 'web', mood: 1.5 },
    trace: 'abc',
  } as unknown as Proposal;
  t.same(decodeProposal(encodeProposal(proposal)), proposal);
  t.end();
});

t.test('a command of a newer set stops the process', (t) => {
  const newer = { command: { type: 'queue.clear' }, origin: {}, v: COMMAND_VERSION + 1 };
  t.throws(() => decodeProposal(pack(newer)), { name: 'InvariantError' });
  t.end();
});

t.test('bytes that hold no proposal are BAD_REQUEST', (t) => {
  const command = { type: 'queue.clear' };
  const bad = [
    null,
    [],
    {},
    { command },
    { command: [], origin: {}, v: 1 },
    { command, origin: null, v: 1 },
    { command, origin: {} },
    { command, origin: {}, v: '1' },
  ];
  for (const value of bad) t.throws(() => decodeProposal(pack(value)), { code: 'BAD_REQUEST' }, JSON.stringify(value));
  t.throws(() => decodeProposal(new Uint8Array(PROPOSAL_BYTES_MAX + 1)), { code: 'BAD_REQUEST' });
  t.end();
});

t.test('the longest sensible command fits, a longer one is BODY_TOO_LARGE', (t) => {
  const adding = (count: number): Proposal => ({
    command: { type: 'queue.add', trackIds: Array.from({ length: count }, (_, k) => idOf(k)) },
    origin: { node: KITCHEN, via: 'web' },
  });
  t.ok(encodeProposal(adding(5_000)).length < PROPOSAL_BYTES_MAX);
  t.throws(() => encodeProposal(adding(9_000)), { code: 'BODY_TOO_LARGE' });
  t.end();
});

t.test('mutated proposals give a typed error or a proposal', (t) => {
  const all = EXAMPLES.map((example) => encodeProposal(example));
  fc.assert(
    fc.property(
      fc.nat(all.length - 1),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (k, changes) => {
        const bytes = all[k]!.slice();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          return typeof decodeProposal(bytes).command === 'object';
        } catch (error) {
          // A flipped "v" names a newer command set: that is the loud stop.
          return (
            (error instanceof TuttiError && error.code === 'BAD_REQUEST') || (error as Error).name === 'InvariantError'
          );
        }
      },
    ),
    { seed: 1, numRuns: 20_000 },
  );
  t.end();
});
