/** What shells complete is what there is: each script is run by its shell, where that is there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { tutti } from './harness.js';

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;
const script = async (shell: string) => (await tutti(['completion', shell])).stdout;

const folder = mkdtempSync(join(tmpdir(), 'tutti-completion-'));
t.teardown(() => rmSync(folder, { recursive: true }));

t.test(
  'bash completes commands, commands below them, options and words, and leaves files to itself',
  {
    skip: !has('bash') && 'there is no bash here',
  },
  async (t) => {
    const file = join(folder, 'tutti.bash');
    writeFileSync(file, await script('bash'));
    /** What bash offers for the last of these words. */
    const offered = (...words: string[]): string[] => {
      const typed = words.map((word) => `'${word}'`).join(' ');
      const ask = `source '${file}'; COMP_WORDS=(tutti ${typed}); COMP_CWORD=${words.length}; _tutti; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' });
      t.equal(status, 0, stderr);
      return stdout.split('\n').filter((line) => line !== '');
    };
    t.strictSame(offered('vo'), ['volume']);
    t.strictSame(offered('queue', 's'), ['shuffle']);
    t.strictSame(offered('queue', 'add', '--n'), ['--next', '--node']);
    t.strictSame(offered('--json', 'mem', ''), [...offered('')], 'what is no command leads nowhere');
    t.strictSame(offered('repeat', 'o'), ['off', 'one']);
    t.strictSame(offered('completion', 'b'), ['bash']);
    t.strictSame(offered('demo', '--nod'), ['--nodes', '--node']);
    t.strictSame(offered('add', 'song'), [], 'a file');
    for (const command of ['run', 'doctor', 'find', 'completion']) t.ok(offered('').includes(command), command);
    t.match(spawnSync('bash', ['-c', `source '${file}'; complete -p tutti`], { encoding: 'utf8' }).stdout, '-F _tutti');
  },
);

for (const shell of ['zsh', 'fish']) {
  t.test(`${shell} takes its script`, { skip: !has(shell) && `there is no ${shell} here` }, async (t) => {
    const file = join(folder, `tutti.${shell}`);
    writeFileSync(file, await script(shell));
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    t.equal(status, 0, stderr);
  });
}

t.test('every script names every command; a shell that there is none for is turned down', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const text = await script(shell);
    for (const word of ['doctor', 'sync-report', '/queue/shuffle', '/members/remove', 'accept-loss'])
      t.match(text, word);
  }
  t.match(await tutti(['completion', 'csh']), { exitCode: 2, stderr: /bash, zsh, fish/ });
  t.match(JSON.parse((await tutti(['completion', 'bash', '--json'])).stdout), { shell: 'bash', script: /_tutti/ });
});
