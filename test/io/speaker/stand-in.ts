/**
 * Modules that stand in for the npm package `speaker`, written where a test wants them: the process around it is real, and so are
 * the pipes. Like the package they are CommonJS, export a Writable, and take half a second of sound before they make the writer wait.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** How a stand-in behaves once it gets sound; `aborts` ends the process while it is loaded, as the package does without a device. */
export type Behaviour = 'plays' | 'aborts' | 'fails' | 'dies' | 'hangs' | 'lags';

/** What happens at each write, as source text. `this.bytes` counts what came before. */
const ON_WRITE: Readonly<Record<Behaviour, string>> = {
  plays: '',
  aborts: '',
  fails: "return done(new Error('write() failed: -1'));",
  // The first write is the silence that opens the device.
  dies: "if (this.bytes > 0) { process.stderr.write('the device is gone\\n'); process.exit(3); }",
  hangs: 'if (this.bytes > 0) return setInterval(() => {}, 1_000);',
  lags: 'if (this.bytes > 0) return setTimeout(done, 700);',
};

/** A folder that goes with the test, also while a process that was killed makes a last file in it. */
export function scratchFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-speaker-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** Writes the module into `directory`, and gives its path; what it plays is appended to `played` there. */
export function standIn(directory: string, behaviour: Behaviour): string {
  const path = join(directory, `${behaviour}.cjs`);
  writeFileSync(
    path,
    `const { appendFileSync } = require('node:fs');
const { Writable } = require('node:stream');
${behaviour === 'aborts' ? "process.stderr.write('no device\\n'); process.abort();" : ''}
module.exports = class extends Writable {
  constructor({ sampleRate, channels, bitDepth, device }) {
    super();
    this.frameBytes = (channels * bitDepth) / 8;
    this.bytesPerMs = (sampleRate * channels * bitDepth) / 8_000;
    this.bytes = 0;
    appendFileSync(${JSON.stringify(join(directory, 'opened'))}, JSON.stringify({ sampleRate, channels, bitDepth, device }) + '\\n');
  }
  _write(chunk, _encoding, done) {
    ${ON_WRITE[behaviour]}
    if (chunk.length % this.frameBytes !== 0) return done(new Error('half a frame'));
    appendFileSync(${JSON.stringify(join(directory, 'played'))}, chunk);
    this.since ??= performance.now();
    this.bytes += chunk.length;
    const queuedMs = this.bytes / this.bytesPerMs - (performance.now() - this.since);
    if (queuedMs > 500) setTimeout(done, queuedMs - 500);
    else done();
  }
};
`,
  );
  return path;
}
