import t from 'tap';
import { Uploads } from '../../src/node/uploads.js';
import { FakeTime } from '../../src/ports/fake-time.js';

const upload = { id: 'u', title: 'Song', via: 'http', totalBytes: 10 } as const;

t.test('an ended upload stays for a minute, and of many only the last 32 do', (t) => {
  const time = new FakeTime();
  const uploads = new Uploads({ time, changed: () => {} });
  for (let i = 0; i < 40; i++) uploads.begin({ ...upload, id: String(i) })({ stage: 'done' });
  t.equal(uploads.list().length, 32);
  t.equal(uploads.list()[0]!.id, '8');
  time.advance(59_999);
  t.equal(uploads.list().length, 32);
  time.advance(1);
  t.equal(uploads.list().length, 0);
  t.strictSame(time.running(), []);
  t.end();
});

t.test('what is still under way is never forgotten, and what has ended takes no more news', (t) => {
  const time = new FakeTime();
  let changes = 0;
  const uploads = new Uploads({ time, changed: () => (changes += 1) });
  const report = uploads.begin(upload);
  time.advance(600_000);
  report({ receivedBytes: 5 });
  t.match(uploads.list(), [{ receivedBytes: 5, stage: 'receiving' }]);
  report({ stage: 'failed', code: 'DISK_FULL' });
  time.advance(60_000);
  const seen = changes;
  report({ receivedBytes: 6 });
  t.equal(changes, seen);
  t.end();
});

t.test('once stopped it remembers nothing, and may be stopped again', (t) => {
  const uploads = new Uploads({ time: new FakeTime(), changed: () => {} });
  uploads.begin(upload)({ stage: 'done' });
  uploads.stop();
  uploads.stop();
  t.strictSame(uploads.list(), []);
  t.end();
});
