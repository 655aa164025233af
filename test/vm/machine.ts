/**
 * A whole machine, emulated: Debian's kernel, systemd, sshd, ALSA and GPIO, and a card of its own for the node's data.
 *
 * The tests speak to it as a person would, by ssh. Its disks are files that outlive the emulator: ending that is pulling the
 * plug. What the kernel in it had not written yet is gone then, as on a Pi; what a disk's own cache would have lost is not.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, createWriteStream, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import type { Image } from './image.js';

/** An emulated processor is some thirty times slower than a real one, and this machine may be busy. Milliseconds. */
const PATIENCE_MS = 600_000;
const DATA_BYTES = 1_000_000_000;

/** What a script on the machine came to. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function must(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
}

/** Its disks lie in `folder`, which is the test's; `start` may be called again after `pullThePlug`. */
export class Machine {
  readonly #image: Image;
  readonly #folder: string;
  #emulator: ChildProcess | null = null;
  #sshPort = 0;
  #starts = 0;

  private constructor(image: Image, folder: string) {
    this.#image = image;
    this.#folder = folder;
  }

  /** A new one, with an empty card for the node. It is ended with the test. */
  static make(t: Test, image: Image): Machine {
    const machine = new Machine(image, temporaryFolder(t));
    copyFileSync(image.root, machine.#path('root.img'));
    must('truncate', ['-s', String(DATA_BYTES), machine.#path('data.img')]);
    must('mke2fs', ['-q', '-t', 'ext4', '-L', 'tutti', '-F', machine.#path('data.img')]);
    t.teardown(() => machine.pullThePlug());
    return machine;
  }

  /** Switches it on, and waits until sshd answers. @returns how long that took, seconds */
  async start(): Promise<number> {
    const startedAt = performance.now();
    this.#sshPort = await freePort();
    this.#starts += 1;
    const forward = `hostfwd=tcp:127.0.0.1:${this.#sshPort}-:22`;
    const { kernel, initrd } = this.#image;
    const disk = (name: string) => ['-drive', `file=${this.#path(name)},if=virtio,format=raw`];
    const emulator = spawn(
      'qemu-system-x86_64',
      [
        ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024', '-nographic', '-no-reboot'],
        ...['-kernel', kernel, '-initrd', initrd, '-append', 'root=/dev/vda rw console=ttyS0 quiet'],
        ...disk('root.img'),
        ...disk('data.img'),
        // Nothing but the tests is reached from inside.
        ...['-nic', `user,model=virtio-net-pci,restrict=on,${forward}`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#emulator = emulator;
    const console = createWriteStream(this.#path(`console-${this.#starts}.txt`));
    emulator.stdout.pipe(console);
    emulator.stderr.pipe(console);
    await this.until('sshd answers', 'true');
    return (performance.now() - startedAt) / 1_000;
  }

  /** What it showed on its console since it was switched on. */
  console(): string {
    return readFileSync(this.#path(`console-${this.#starts}.txt`), 'utf8');
  }

  /** Runs a shell script there, as root or as another. */
  run(script: string, user = 'root'): Promise<Ran> {
    return this.#spawn('ssh', [...this.#ssh('-p'), `${user}@127.0.0.1`, script]);
  }

  /** Runs a shell script there that has to work. @returns what it printed, without the last line's end */
  async must(script: string, user = 'root'): Promise<string> {
    const { status, stdout, stderr } = await this.run(script, user);
    if (status !== 0) throw new Error(`on the machine, ${script} ended with ${status}: ${stderr}${stdout}`);
    return stdout.trimEnd();
  }

  /** Waits until a shell script there ends with 0. @returns what it printed then */
  async until(what: string, script: string): Promise<string> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const { status, stdout, stderr } = await this.run(script);
      if (status === 0) return stdout.trimEnd();
      if (this.#emulator === null || this.#emulator.exitCode !== null)
        throw new Error(`the machine is off: ${this.console()}`);
      if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}: ${stderr}${stdout}`);
      await wait(500);
    }
  }

  /** Copies files there by scp, as a person does. */
  async copy(files: readonly string[], to: string, user = 'root'): Promise<void> {
    const { status, stderr } = await this.#spawn('scp', [
      '-q',
      ...this.#ssh('-P'),
      ...files,
      `${user}@127.0.0.1:${to}`,
    ]);
    if (status !== 0) throw new Error(`scp ended with ${status}: ${stderr}`);
  }

  /** Ends the emulator, at once: the plug is pulled. */
  async pullThePlug(): Promise<void> {
    const emulator = this.#emulator;
    this.#emulator = null;
    if (emulator === null || emulator.exitCode !== null || emulator.signalCode !== null) return;
    const gone = once(emulator, 'exit');
    emulator.kill('SIGKILL');
    await gone;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  /** Options of ssh and scp: one connection for all calls, since an emulated processor takes seconds for a handshake. */
  #ssh(portFlag: '-p' | '-P'): string[] {
    const options = [
      'BatchMode=yes',
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'ConnectTimeout=20',
      'ControlMaster=auto',
      `ControlPath=${this.#path(`ssh-${this.#starts}-%r`)}`,
      'ControlPersist=600',
    ];
    return [portFlag, String(this.#sshPort), '-i', this.#image.key, ...options.flatMap((option) => ['-o', option])];
  }

  async #spawn(program: string, args: readonly string[]): Promise<Ran> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    }
    // Not `close`: the connection that stays has the same standard error.
    const [status] = (await once(child, 'exit')) as [number | null];
    return { status, ...output };
  }
}
