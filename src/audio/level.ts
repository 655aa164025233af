/**
 * Levelling: every track about as loud as the next.
 *
 * The loudness of a track was measured once, when it was taken in, and agreed (BS.1770, see {@link Loudness}). The factor is one number for
 * the whole track: its dynamics stay.
 */

/** What tracks are brought to, LUFS: the reference of ReplayGain 2.0, which leaves most recordings room for their peaks. */
const TARGET_LUFS = -18;

/**
 * The factor that brings a track to `targetLufs`, or as near as its peak allows: peak * factor is at most 1.
 * @param integratedLufs null where there was nothing to measure: the factor is 1
 * @param samplePeak largest absolute sample, 1 = full scale
 */
export function levelGain(integratedLufs: number | null, samplePeak: number, targetLufs: number = TARGET_LUFS): number {
  if (integratedLufs === null) return 1;
  const wanted = 10 ** ((targetLufs - integratedLufs) / 20);
  return samplePeak > 0 ? Math.min(wanted, 1 / samplePeak) : wanted;
}
