/** How loud a tone is in a piece of sound, by Goertzel's filter: 0 to 1 for samples of -1 to 1. `hz` is in parts of the sampling rate. */
export function loudnessOf(samples: ArrayLike<number>, hz: number): number {
  const turn = 2 * Math.cos(2 * Math.PI * hz);
  let [before, last] = [0, 0];
  for (let i = 0; i < samples.length; i++) [before, last] = [last, samples[i]! + turn * last - before];
  return (2 * Math.sqrt(Math.max(0, last * last + before * before - turn * last * before))) / samples.length;
}
