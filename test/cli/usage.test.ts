/** Every bad argument gives a usage error (exit code 2) that says what would be right, and nothing is asked of any node. */
import t from 'tap';
import { commandTree, flat } from '../../src/cli/command-tree.js';
import { EXAMPLES } from '../../src/cli/examples.js';
import { buildProgram } from '../../src/cli/program.js';
import { systemComponents } from '../../src/cli/system.js';
import { tutti } from './harness.js';

const cases: readonly [string, RegExp][] = [
  ['bogus', /unknown command 'bogus'.*right is: tutti \[options\] \[command\]/],
  ['pley', /\(Did you mean play\?\)/],
  ['--bogus', /unknown option '--bogus'/],
  ['ls --bogus', /unknown option '--bogus'; right is: tutti ls \[options\]/],
  ['ls extra', /too many arguments for 'ls'/],
  ['add', /missing required argument 'file'; right is: tutti add \[options\] <file\.\.\.>/],
  ['rm', /missing required argument 'track'/],
  ['queue bogus', /queue: found "bogus"; right is one of add, rm, mv, shuffle, clear\./],
  ['queue shufle', /Did you mean shuffle\?/],
  ['queue add', /missing required argument 'track'; right is: tutti queue add \[options\] <track\.\.\.>/],
  ['queue rm', /missing required argument 'item'/],
  ['queue mv i1', /missing required argument 'before'; right is: tutti queue mv \[options\] <item> <before>/],
  ['play a b', /too many arguments for 'play'/],
  ['skip 2', /too many arguments for 'skip'/],
  ['seek', /missing required argument 'time'/],
  ['seek noon', /TIME: found "noon"; right is a time such as 83, 1:23 or 1:02:03, or a way from here such as \+10/],
  ['seek 1:60', /TIME: found "1:60"/],
  ['seek 1:60:00', /TIME: found "1:60:00"/],
  ['seek -1:xx', /TIME: found "-1:xx"/],
  ['seek --bogus', /TIME: found "--bogus"/],
  ['seek 9999999', /TIME: found "9999999"/],
  ['repeat twice', /MODE: found "twice"; right is one of off, all, one/],
  ['volume 101', /VOLUME: found "101"; right is a whole number from 0 to 100, or a change such as \+5 or -5/],
  ['volume loud', /VOLUME: found "loud"/],
  ['volume 1.5', /VOLUME: found "1.5"/],
  ['volume -101', /VOLUME: found "-101"/],
  ['ls --node', /option '--node <url>' argument missing/],
  ['ls --node ftp://x', /--node \(or TUTTI_NODE\): found "ftp:\/\/x"; right is an address such as http:/],
  ['ls --node http://x/y', /--node \(or TUTTI_NODE\): found "http:\/\/x\/y"/],
  ['ls --node http://', /--node \(or TUTTI_NODE\)/],
  ['run --config', /option '--config <file>' argument missing/],
  ['demo 3', /too many arguments for 'demo'/],
  ['demo --nodes 0', /--nodes: found "0"; right is a whole number from 1 to 9/],
  ['demo --nodes ten', /--nodes: found "ten"; right is a whole number from 1 to 9/],
  ['capabilities all', /too many arguments for 'capabilities'/],
];

t.test('bad arguments', async (t) => {
  const http = () => Promise.reject(new Error('a node was asked'));
  for (const [line, words] of cases) {
    const { exitCode, stdout, stderr } = await tutti(line.split(' '), { http });
    t.equal(exitCode, 2, line);
    t.equal(stdout, '', line);
    t.match(stderr, /^BAD_USAGE: /, line);
    t.match(stderr, words, line);
    t.match(stderr, 'Run tutti help', line);
  }
});

t.test('an empty TUTTI_NODE is none, a wrong one is named', async (t) => {
  const http = () => Promise.resolve({ status: 200, text: '{"tracksRev":0,"tracks":[]}' });
  t.equal((await tutti(['ls'], { http, env: { TUTTI_NODE: '' } })).exitCode, 0);
  t.match(await tutti(['ls'], { http, env: { TUTTI_NODE: 'a b' } }), { exitCode: 2, stderr: /found "a b"/ });
});

t.test('help and version go to standard output', async (t) => {
  const help = await tutti(['help']);
  t.equal(help.exitCode, 0);
  t.match(help.stdout, /Usage: tutti .*\n[\s\S]*capabilities[\s\S]*Exit codes:\n {2}0 {3}Done\.\n/);
  t.equal(help.stderr, '');
  t.match((await tutti(['seek', '--help'])).stdout, 'Usage: tutti seek [options] <time>');
  t.match((await tutti(['help', 'queue'])).stdout, 'shuffle');
  t.same(await tutti(['--version']), { exitCode: 0, stdout: '9.9.9\n', stderr: '' });
});

t.test('no command at all shows the help, as an error', async (t) => {
  const { exitCode, stdout, stderr } = await tutti([]);
  t.equal(exitCode, 2);
  t.equal(stdout, '');
  t.match(stderr, 'Usage: tutti');
});

t.test('only what is built is listed', (t) => {
  const idle = () => Promise.resolve(0);
  const repair = () => Promise.reject(new Error('this test repairs nothing'));
  const own = systemComponents({ version: '', run: idle, demo: idle, repair, lampOff: idle });
  const program = buildProgram(own, { ended: () => undefined });
  const names = program.commands.map((command) => command.name());
  const built =
    'run demo repair lamp-off capabilities doctor add ls rm queue play pause stop skip previous seek repeat volume mute unmute status sync-report init join invite find members completion';
  t.same(names, built.split(' '));
  t.end();
});

t.test('every command says what it does, gives an example of itself, and where exit codes are told', async (t) => {
  const idle = () => Promise.resolve(0);
  const repair = () => Promise.reject(new Error('this test repairs nothing'));
  const own = systemComponents({ version: '', run: idle, demo: idle, repair, lampOff: idle });
  const all = flat(commandTree(buildProgram(own, { ended: () => undefined }))).slice(1);
  t.same(
    Object.keys(EXAMPLES).sort(),
    all.map(({ path }) => path.join(' ')).sort(),
    'there is none of what is not there',
  );
  for (const { path, summary } of all) {
    t.ok(summary.length > 0, path.join(' '));
    const { exitCode, stdout } = await tutti([...path, '--help']);
    t.equal(exitCode, 0);
    t.match(stdout, new RegExp(`^Examples:\\n.*tutti ${path.join(' ')}`, 'm'));
    t.match(stdout, /exit codes: tutti --help/);
  }
});
