/** The recovery table leaves no combination out, decides none twice, and says what its two rules say. */
import t from 'tap';
import {
  type BodyFound,
  type IdentifierSeen,
  judgeBatch,
  RECOVERY_TABLE,
  type Verdict,
} from '../../src/storage/recovery-table.js';

const BODIES: readonly BodyFound[] = ['good', 'foreign', 'bad'];
const IDENTIFIERS: readonly IdentifierSeen[] = ['valid', 'damaged', 'absent'];
const COMBINATIONS = BODIES.flatMap((body) =>
  IDENTIFIERS.flatMap((identifier) => [true, false].map((finished) => ({ body, identifier, finished }))),
);

/** The same in words: what is whole counts; what may have been acknowledged is never dropped. */
function twin(body: BodyFound, identifier: IdentifierSeen, finished: boolean): Verdict {
  if (body === 'good') return identifier === 'valid' ? 'keep' : 'keep and identify';
  if (identifier === 'valid') return 'unknown';
  const mayBeAcknowledged = finished || identifier === 'damaged' || body === 'foreign';
  return mayBeAcknowledged ? 'gap' : 'drop';
}

t.test('every combination fits exactly one row, and each row is needed', (t) => {
  const used = new Set<string>();
  for (const { body, identifier, finished } of COMBINATIONS) {
    const fitting = RECOVERY_TABLE.filter(
      (row) =>
        (row.body?.includes(body) ?? true) &&
        (row.identifier?.includes(identifier) ?? true) &&
        (row.finished ?? finished) === finished,
    );
    t.equal(fitting.length, 1, `${body}, ${identifier}, ${finished ? 'finished' : 'last'}`);
    t.equal(judgeBatch(body, identifier, finished), fitting[0]);
    used.add(fitting[0]!.why);
  }
  t.equal(used.size, RECOVERY_TABLE.length);
  t.end();
});

t.test('the table agrees with its twin', (t) => {
  for (const { body, identifier, finished } of COMBINATIONS) {
    t.equal(judgeBatch(body, identifier, finished).verdict, twin(body, identifier, finished));
  }
  t.end();
});

t.test('only a last batch whose identifier was never begun is dropped', (t) => {
  const dropped = COMBINATIONS.filter(
    ({ body, identifier, finished }) => judgeBatch(body, identifier, finished).verdict === 'drop',
  );
  t.same(dropped, [{ body: 'bad', identifier: 'absent', finished: false }]);
  t.end();
});
