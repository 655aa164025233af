/** What every AudioOutput keeps. */
import type { Test } from 'tap';
import { InvariantError } from '../../src/core/assert.js';
import type { AudioOutput, OutputRequest } from '../../src/ports/audio-output.js';
import { type Pass, until } from './support.js';

export interface AudioOutputSetup {
  readonly output: AudioOutput;
  /** Lets a few milliseconds pass. */
  readonly pass: Pass;
  /** Ends what the set-up began. */
  close?(): void;
}

const REQUEST: OutputRequest = { rate: 48_000, channels: 2, bits: 24 };
/** How far the card's rate may be off, crystal and readings together. */
const RATE_TOLERANCE = 0.02;

export const runAudioOutputContract = (t: Test, name: string, setup: () => AudioOutputSetup): Promise<unknown> =>
  t.test(`${name} keeps the contract of AudioOutput`, async (t) => {
    /** An open card with half its queue full of silence, or as much as `frames` says. */
    const begin = (frames?: number) => {
      const { output, pass, close } = setup();
      const format = output.open(REQUEST);
      const silence = new Int32Array(format.bufferFrames * format.channels);
      const written = output.write(silence, frames ?? Math.floor(format.bufferFrames / 2));
      const end = () => {
        output.close();
        close?.();
      };
      return { output, pass, format, silence, written, end };
    };

    await t.test('open says what the card gives', (t) => {
      const { format, end } = begin();
      t.ok(format.rate >= 8_000 && format.rate <= 192_000);
      t.ok(format.channels >= 1 && format.channels <= 8);
      t.ok([16, 24, 32].includes(format.bits));
      t.ok(format.periodFrames >= 1 && format.bufferFrames >= 2 * format.periodFrames);
      end();
      t.end();
    });

    await t.test('nothing plays before the first write', async (t) => {
      const { output, pass, end } = begin(0);
      for (let i = 0; i < 20; i++) await pass();
      const { state, delayFrames } = output.status();
      t.same({ state, delayFrames }, { state: 'running', delayFrames: 0 });
      end();
    });

    await t.test('the delay is what was written and has not left, and falls at the rate of the card', async (t) => {
      const { output, pass, format, written, end } = begin();
      let last = output.status();
      t.ok(last.delayFrames <= written && last.delayFrames > 0.5 * written, `${last.delayFrames} of ${written}`);
      const falls = (below: number) => {
        last = output.status();
        return last.delayFrames < below;
      };
      // A card may take its time to begin; from there on it keeps its rate.
      await until(() => falls(written), pass, 'it begins');
      const first = last;
      await until(() => falls(first.delayFrames / 2), pass, 'half of it leaves');
      const seconds = Number(last.at - first.at) / 1e9;
      const rate = (first.delayFrames - last.delayFrames) / seconds;
      const readings = (2 * format.periodFrames) / (first.delayFrames - last.delayFrames);
      t.ok(Math.abs(rate / format.rate - 1) < RATE_TOLERANCE + readings, `${rate} frames a second`);
      t.ok(last.writableFrames > first.writableFrames, 'and room appears');
      end();
    });

    await t.test('write takes what fits and says how much', (t) => {
      const { output, format, silence, end } = begin(0);
      t.equal(output.write(silence, 0), 0, 'nothing of nothing');
      const { writableFrames } = output.status();
      t.ok(writableFrames <= format.bufferFrames && writableFrames >= format.periodFrames);
      // Enough of it that a busy machine does not let the card run dry before the next line.
      const half = Math.floor(format.bufferFrames / 2);
      t.equal(output.write(silence, half), half);
      const more = output.write(new Int32Array(4 * silence.length), 4 * format.bufferFrames);
      t.ok(more > 0 && more <= 2 * format.bufferFrames, 'never more than it holds');
      end();
      t.end();
    });

    await t.test('a card that runs dry stands still until it is recovered', async (t) => {
      const { output, pass, silence, end } = begin(100);
      await until(() => output.status().state === 'underrun', pass, 'it runs dry');
      t.equal(output.write(silence, 100), 0, 'it takes nothing');
      t.equal(output.status().writableFrames, 0);
      t.equal(output.status().delayFrames, 0, 'and has nothing left');
      output.recover();
      t.equal(output.status().state, 'running');
      t.equal(output.write(silence, 480), 480, 'after that it takes sound again');
      t.ok(output.status().delayFrames > 0);
      end();
    });

    await t.test('what has been played never comes back, and instants go forward', async (t) => {
      const { output, pass, format, silence, written, end } = begin();
      let queued = written;
      let last = output.status();
      let played = queued - last.delayFrames;
      const wrong: string[] = [];
      await until(
        () => {
          if (queued < 2 * written) queued += output.write(silence, Math.floor(format.periodFrames / 3));
          const status = output.status();
          if (status.state !== 'running') return true;
          const now = queued - status.delayFrames;
          if (now < played) wrong.push(`from ${played} frames to ${now}`);
          if (status.at < last.at) wrong.push(`from ${last.at} ns to ${status.at}`);
          if (!((status.uncertaintyNs ?? 0) >= 0)) wrong.push(`uncertain by ${status.uncertaintyNs} ns`);
          played = now;
          last = status;
          return played > written;
        },
        pass,
        'more than the first half has been played',
      );
      t.same(wrong, []);
      t.ok(played > 0, `${played} frames`);
      end();
    });

    await t.test('recover empties the queue', (t) => {
      const { output, end } = begin();
      output.recover();
      t.equal(output.status().delayFrames, 0);
      end();
      t.end();
    });

    await t.test('close drops what is queued, may be repeated, and the card can be opened again', (t) => {
      const { output, end, format } = begin();
      output.close();
      output.close();
      t.throws(() => output.status(), InvariantError, 'a closed card is not asked');
      t.same(output.open(REQUEST), format);
      t.equal(output.status().delayFrames, 0);
      t.throws(() => output.open(REQUEST), InvariantError, 'an open card is not opened');
      end();
      t.end();
    });

    await t.test('closing a card that was never opened is fine', (t) => {
      const { output, close } = setup();
      output.close();
      close?.();
      t.end();
    });
  });
