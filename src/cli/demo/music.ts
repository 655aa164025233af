/**
 * Music for the demo: a short chord progression per track, so that a person knows which one plays.
 *
 * Plain additive synthesis: three notes a chord, each a few harmonics that die away, low enough that a room's position in it can be
 * told to a hundredth of a sample. No file is shipped, and no ear is hurt.
 */

/** Frames a second of all demo tracks. */
export const DEMO_RATE = 44_100;
const CHORD_SECONDS = 1.2;

/** Semitones above A3 (220 Hz) of each chord's notes. */
const PROGRESSIONS: Readonly<Record<string, readonly (readonly number[])[]>> = {
  // C G Am F, C G F C
  'Morning in the kitchen': [
    [3, 7, 10],
    [-2, 2, 5],
    [0, 3, 7],
    [-4, 0, 3],
    [3, 7, 10],
    [-2, 2, 5],
    [-4, 0, 8],
    [3, 7, 15],
  ],
  // Am F C G, Am F E Am
  'Evening in the hall': [
    [0, 3, 7],
    [-4, 0, 3],
    [3, 7, 10],
    [-2, 2, 5],
    [0, 3, 7],
    [-4, 0, 8],
    [-5, -1, 2],
    [0, 3, 12],
  ],
  // Dm G C A, Dm G C
  'Rain on the attic': [
    [-7, -4, 0],
    [-2, 2, 5],
    [3, 7, 10],
    [0, 4, 7],
    [-7, -4, 5],
    [-2, 2, 8],
    [3, 7, 10],
    [3, 10, 15],
  ],
};

/** Titles of the demo tracks, in the order in which they are played. */
export const DEMO_TITLES: readonly string[] = Object.keys(PROGRESSIONS);

/** The stereo samples of a demo track, interleaved, 16 bits, at {@link DEMO_RATE}. @param title one of {@link DEMO_TITLES} */
export const demoSamples = (title: string): Int16Array => {
  const chords = PROGRESSIONS[title] ?? [];
  const chordFrames = Math.round(CHORD_SECONDS * DEMO_RATE);
  const samples = new Int16Array(chords.length * chordFrames * 2);
  chords.forEach((notes, index) => {
    for (let frame = 0; frame < chordFrames; frame++) {
      const seconds = frame / DEMO_RATE;
      // Attack of 10 ms and an end at exactly zero, so that chords join without a click.
      const envelope =
        Math.min(1, seconds / 0.01) * Math.exp(-1.2 * seconds) * Math.min(1, (chordFrames - 1 - frame) / 441);
      let left = 0;
      let right = 0;
      notes.forEach((note, voice) => {
        const hertz = 220 * 2 ** (note / 12);
        const phase = 2 * Math.PI * hertz * seconds;
        const tone = Math.sin(phase) + 0.4 * Math.sin(2 * phase) + 0.15 * Math.sin(3 * phase);
        const pan = voice / Math.max(1, notes.length - 1);
        left += tone * (1 - 0.5 * pan);
        right += tone * (0.5 + 0.5 * pan);
      });
      const at = 2 * (index * chordFrames + frame);
      samples[at] = Math.round(6_000 * envelope * left);
      samples[at + 1] = Math.round(6_000 * envelope * right);
    }
  });
  return samples;
};

/** A WAV file of 16-bit stereo samples: the 44-byte header that every program reads. */
export const wavFile = (samples: Int16Array, rate: number): Uint8Array => {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, word: string) => bytes.set(new TextEncoder().encode(word), offset);
  text(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 4, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, index) => {
    view.setInt16(44 + index * 2, sample, true);
  });
  return bytes;
};

/** Frames of the music before a track begins, in the order of {@link DEMO_TITLES}, one after another. */
export const beginningOf = (title: string): number =>
  DEMO_TITLES.slice(0, Math.max(0, DEMO_TITLES.indexOf(title))).reduce(
    (sum, before) => sum + demoSamples(before).length / 2,
    0,
  );

/** The left channel of all tracks, one after another; full scale = 1. */
export function leftChannel(): Float64Array {
  const left = DEMO_TITLES.map((title) => demoSamples(title).filter((_, index) => index % 2 === 0));
  const music = new Float64Array(left.reduce((sum, song) => sum + song.length, 0));
  let at = 0;
  for (const song of left) {
    music.set(
      Float64Array.from(song, (sample) => sample / 32_768),
      at,
    );
    at += song.length;
  }
  return music;
}
