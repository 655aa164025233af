/** Runs the command line within the test: real program, real HTTP, recorded output. */
import { once } from 'node:events';
import type { CliComponents, LocalFiles, TextOutput } from '../../src/cli/components.js';
import { nodeHttpTransport } from '../../src/cli/http-transport.js';
import { runCli } from '../../src/cli/run-cli.js';
import { TuttiError } from '../../src/core/errors.js';

class RecordedOutput implements TextOutput {
  text = '';
  readonly isTerminal: boolean;

  constructor(isTerminal: boolean) {
    this.isTerminal = isTerminal;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** Files by path; each is read in two chunks. */
export const filesOf = (texts: Readonly<Record<string, string>>): LocalFiles => ({
  readText: (path) => Promise.resolve(texts[path]),
  open: (path) => {
    const text = texts[path];
    if (text === undefined) {
      return Promise.reject(new TuttiError('BAD_USAGE', `FILE: "${path}": there is none of this name.`));
    }
    const bytes = Buffer.from(text);
    return Promise.resolve({
      bytes: bytes.length,
      async *read() {
        const half = Math.floor(bytes.length / 2);
        yield await Promise.resolve(bytes.subarray(0, half));
        yield bytes.subarray(half);
      },
    });
  },
});

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Settings extends Partial<Omit<CliComponents, 'stdout' | 'stderr'>> {
  readonly isTerminal?: boolean;
}

/** Runs `tutti` with `argv`. */
export async function tutti(argv: readonly string[], settings: Settings = {}): Promise<Ran> {
  const { isTerminal = false, ...components } = settings;
  const stdout = new RecordedOutput(isTerminal);
  const stderr = new RecordedOutput(isTerminal);
  let keys = 0;
  let ms = 0;
  const exitCode = await runCli(argv, {
    stdout,
    stderr,
    env: {},
    files: filesOf({}),
    soundCards: () => ({ devices: [], named: [], missing: null }),
    probe: () => Promise.reject(new Error('this test looks at no machine')),
    http: nodeHttpTransport,
    uniqueKey: () => `key-${++keys}`,
    nowMs: () => (ms += 1_000),
    waitMs: (_ms, signal) => (signal === undefined ? Promise.resolve() : once(signal, 'abort').then(() => undefined)),
    hostname: 'laptop',
    version: '9.9.9',
    run: () => Promise.reject(new Error('this test runs no node')),
    lampOff: () => Promise.resolve(0),
    repair: () => Promise.reject(new Error('this test repairs nothing')),
    demo: () => Promise.reject(new Error('this test runs no demo')),
    ...components,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}
