/** The error catalogue: every row tells a person what is wrong and what to do, and machines branch on codes. */
import { STATUS_CODES } from 'node:http';
import t from 'tap';
import { ERRORS, type ErrorCode, isErrorCode, TuttiError } from '../../src/core/errors.js';

const rows = Object.entries(ERRORS);

t.test('every code is in capitals, every title and advice are sentences', (t) => {
  for (const [code, { title, advice }] of rows) {
    t.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    t.match(title, /^[A-Z].+[^.]\.$/, `title of ${code}`);
    t.match(advice, /^[A-Z].+[^.]\.$/, `advice of ${code}`);
    t.notMatch(`${title} ${advice}`, / {2}|\s$|^\s|\n/, `blanks of ${code}`);
  }
  t.end();
});

t.test('no two codes say the same', (t) => {
  for (const part of ['title', 'advice'] as const) {
    const texts = rows.map(([, row]) => row[part]);
    t.same(
      texts.filter((text, i) => texts.indexOf(text) !== i),
      [],
    );
  }
  t.end();
});

t.test('every status is one of HTTP for errors, and blames who is at fault', (t) => {
  for (const [code, { status, fault }] of rows) {
    t.ok(status >= 400 && STATUS_CODES[status] !== undefined, `${code} has the status ${status}`);
    if (fault === 'caller') t.ok(status < 500, `${code} is the caller's fault, not ours`);
    if (fault === 'tutti') t.equal(status, 500, `${code} is our fault`);
  }
  t.end();
});

t.test('an error says its code, the particulars and the cause', (t) => {
  const cause = new Error('ENOSPC');
  const error = new TuttiError('DISK_FULL', 'There are 3 bytes free.', { freeBytes: 3 }, cause);
  t.match(error, {
    name: 'TuttiError',
    code: 'DISK_FULL',
    detail: 'There are 3 bytes free.',
    message: 'DISK_FULL: There are 3 bytes free.',
    info: { freeBytes: 3 },
  });
  t.equal(error.cause, cause);
  t.end();
});

t.test('without particulars the title speaks, and no cause is made up', (t) => {
  const error = new TuttiError('QUEUE_EMPTY');
  t.equal(error.detail, ERRORS.QUEUE_EMPTY.title);
  t.same(error.info, {});
  t.notOk('cause' in error);
  t.end();
});

t.test('codes are told from other text, also from names that every object has', (t) => {
  t.ok(rows.every(([code]) => isErrorCode(code)));
  for (const text of ['', 'disk_full', 'toString', '__proto__', 'constructor']) t.notOk(isErrorCode(text), text);
  const code: ErrorCode = 'INTERNAL';
  t.ok(isErrorCode(code));
  t.end();
});
