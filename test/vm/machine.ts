/**
 * A whole machine, emulated: Debian's kernel, systemd, sshd, ALSA and GPIO, and a card of its own for the node's data.
 *
 * The tests speak to it as a person would, by ssh and by HTTP. Its disks are files that outlive the emulator: ending that is pulling the
 * plug. What the kernel in it had not written yet is gone then, as on a Pi; what a disk's own cache would have lost is not.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { temporaryFolder } from '../support/daemon.js';
import type { Disks, Image } from './image.js';

/** An emulated processor is some thirty times slower than a real one, and this machine may be busy. Milliseconds. */
export const PATIENCE_MS = 600_000;
/**
 * Who runs the machine's instructions: the processor itself where it can, else software. A /dev/kvm on a processor without such means is for kernels
 * that were made for it, which Debian's is not.
 */
const ACCELERATORS =
  existsSync('/dev/kvm') && /^flags.* (vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
    ? ['kvm', 'tcg,thread=multi']
    : ['tcg,thread=multi'];

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));

/** What a script on the machine came to. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the node there answered. */
export interface Answer {
  readonly status: number;
  /** Whatever the contract says that it is. */
  readonly json: never;
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

/** `start` may be called again after `pullThePlug` or `powerOff`. */
export class Machine {
  /** What was written to the image's disks since. They lie in a folder of the test's. */
  readonly disks: Disks;
  readonly #image: Image;
  readonly #folder: string;
  #emulator: ChildProcess | null = null;
  #sshPort = 0;
  #httpPort = 0;
  #starts = 0;

  private constructor(image: Image, folder: string) {
    this.#image = image;
    this.#folder = folder;
    this.disks = { root: join(folder, 'root.qcow2'), data: join(folder, 'data.qcow2'), format: 'qcow2' };
  }

  /** A new one, as the image has it. It is ended with the test. */
  static make(t: Test, image: Image): Machine {
    const machine = new Machine(image, temporaryFolder(t));
    for (const disk of ['root', 'data'] as const) {
      const below = ['-b', image.disks[disk], '-F', image.disks.format];
      must('qemu-img', ['create', '-q', '-f', 'qcow2', ...below, machine.disks[disk]]);
    }
    t.teardown(() => machine.pullThePlug());
    return machine;
  }

  /** Switches it on, and waits until sshd answers. @returns how long that took, seconds */
  async start(): Promise<number> {
    const startedAt = performance.now();
    await this.#switchOn([]);
    await this.until('sshd answers', 'true');
    return (performance.now() - startedAt) / 1_000;
  }

  /** Switches it on with more words for the kernel's command line, and waits until it goes off, or would start anew. */
  async runOnce(words: readonly string[]): Promise<void> {
    await once(await this.#switchOn(words), 'exit');
    this.#emulator = null;
  }

  async #switchOn(words: readonly string[]): Promise<ChildProcess> {
    [this.#sshPort, this.#httpPort] = [await freePort(), await freePort()];
    this.#starts += 1;
    const forward = [`${this.#sshPort}-:22`, `${this.#httpPort}-:8080`].map((way) => `hostfwd=tcp:127.0.0.1:${way}`);
    const { kernel, initrd } = this.#image;
    const disk = (file: string) => ['-drive', `file=${file},if=virtio,format=qcow2`];
    const emulator = spawn(
      'qemu-system-x86_64',
      [
        ...ACCELERATORS.flatMap((name) => ['-accel', name]),
        ...['-cpu', 'max', '-smp', '2', '-m', '1024', '-nographic', '-no-reboot'],
        ...[
          '-kernel',
          kernel,
          '-initrd',
          initrd,
          '-append',
          ['root=/dev/vda rw console=ttyS0 quiet', ...words].join(' '),
        ],
        ...disk(this.disks.root),
        ...disk(this.disks.data),
        // Nothing but the tests is reached from inside.
        ...['-nic', `user,model=virtio-net-pci,restrict=on,${forward.join(',')}`],
        ...['-virtfs', `local,path=${CHECKOUT},mount_tag=checkout,security_model=none,readonly=on`],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#emulator = emulator;
    const console = createWriteStream(this.#path(`console-${this.#starts}.txt`));
    emulator.stdout.pipe(console);
    emulator.stderr.pipe(console);
    return emulator;
  }

  /** What its processor is: `kvm`, or `qemu` where it is emulated. */
  async processor(): Promise<string> {
    return (await this.run('systemd-detect-virt')).stdout.trimEnd();
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

  /** Copies a file from there. */
  async fetch(file: string, to: string): Promise<void> {
    const { status, stderr } = await this.#spawn('scp', ['-q', ...this.#ssh('-P'), `root@127.0.0.1:${file}`, to]);
    if (status !== 0) throw new Error(`scp ended with ${status}: ${stderr}`);
  }

  /** Lets it read this checkout below /checkout: what is built here runs there. */
  async mountCheckout(): Promise<void> {
    await this.must('mkdir -p /checkout && mount -t 9p -o trans=virtio,ro,msize=262144,cache=loose checkout /checkout');
  }

  /** A call below /api/v1 of the node there. @throws TypeError where nobody answers */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const isBytes = body instanceof Uint8Array;
    const answer = await fetch(`http://127.0.0.1:${this.#httpPort}/api/v1${path}`, {
      method,
      headers: { host: 'kitchen.local', connection: 'close', ...(!isBytes && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: (text === '' ? undefined : JSON.parse(text)) as never };
  }

  /** Whether it is switched on. */
  get isOn(): boolean {
    return this.#emulator !== null;
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

  /** Shuts it down in order. */
  async powerOff(): Promise<void> {
    const emulator = this.#emulator;
    if (emulator === null) return;
    const gone = once(emulator, 'exit');
    await this.run('systemctl poweroff');
    await gone;
    this.#emulator = null;
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
    // Not `close` of all: the connection that stays has the same standard error.
    const [[status]] = await Promise.all([
      once(child, 'exit') as Promise<[number | null]>,
      once(child.stdout, 'close'),
    ]);
    return { status, ...output };
  }
}
