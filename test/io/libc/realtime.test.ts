/** Real-time priority and locked memory, as the kernel shows them: for root, for a user without leave, and without libc. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadLibc } from '../../../src/io/libc/libc.js';
import { MemoryLock, raiseThisThread } from '../../../src/io/libc/realtime.js';
import { FakeLog } from '../../../src/ports/fake-log.js';
import type { Raised } from './raised-process.js';

const noLibc = loadLibc() === undefined && 'koffi does not load on this machine';
/** Root in a container may lack the right (CAP_SYS_NICE, and with it usually CAP_IPC_LOCK). */
const notRoot = spawnSync('chrt', ['--fifo', '15', 'true']).status !== 0 && 'no thread may be raised here';

/** Runs the process, through `wrapper` where one is given. */
function raised(wrapper: readonly string[] = []): Raised {
  const program = fileURLToPath(new URL('./raised-process.js', import.meta.url));
  const [command, ...args] = [...wrapper, process.execPath, program];
  const { stdout, stderr } = spawnSync(command!, args, { encoding: 'utf8', env: { PATH: process.env.PATH } });
  if (stdout === '') throw new Error(`the process said nothing: ${stderr}`);
  return JSON.parse(stdout) as Raised;
}

/** Nobody, who may lock a few pages and no ring. */
const NOBODY = ['prlimit', '--memlock=65536', 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const noNobody =
  spawnSync(NOBODY[0]!, [...NOBODY.slice(1), 'true']).status !== 0 && 'prlimit or setpriv is missing or refused';

t.test('the calling thread is raised, and no other', { skip: noLibc || notRoot }, (t) => {
  const { granted, worker, threads, child, said } = raised();
  t.equal(granted, true, JSON.stringify(said));
  t.same(
    threads.filter(({ policy, priority }) => policy !== 0 || priority !== 0),
    [{ thread: worker, priority: 15, policy: 1 }],
    'SCHED_FIFO for the worker, while the threads of V8 and libuv are as they were',
  );
  t.ok(threads.length > 4, 'and there are such threads');
  t.same([child.policy, child.priority], [0, 0], 'what the raised thread starts is ordinary');
  t.end();
});

t.test('rings are locked, each once', { skip: noLibc || notRoot }, (t) => {
  const { locked, lockedKb, said } = raised();
  t.same(locked, [true, true, true]);
  const grown = lockedKb[1] - lockedKb[0];
  // A ring need not begin with a page, and then lies in one more.
  t.ok(grown >= 2 * 4_096 && grown <= 2 * 4_100, `two rings of 4 MB: ${grown} kB`);
  t.same(said, []);
  t.end();
});

t.test(
  'a user without leave plays on as an ordinary one, and is told once what to do',
  { skip: noLibc || noNobody },
  (t) => {
    const { granted, threads, locked, lockedKb, said } = raised(NOBODY);
    t.equal(granted, false);
    t.ok(threads.every(({ policy, priority }) => policy === 0 && priority === 0));
    t.same(locked, [false, false, false]);
    t.equal(lockedKb[1], lockedKb[0]);
    t.match(said, [
      { why: 'not permitted', advice: 'LimitRTPRIO=50' },
      { why: 'the limit of locked memory is reached', advice: 'LimitMEMLOCK=64M' },
    ]);
    t.equal(said.length, 2, 'three refusals of memory, one line');
    t.end();
  },
);

t.test('without libc nothing is raised or locked, and the log says why', (t) => {
  const log = new FakeLog();
  t.equal(raiseThisThread({ libc: undefined, log }), false);
  t.equal(new MemoryLock({ libc: undefined, log }).lock(new ArrayBuffer(4_096)), false);
  t.same(
    log.entries.map(({ level, fields }) => [level, fields.why]),
    [['warn', 'libc cannot be called']],
  );
  t.end();
});
