/** The outline of the song, from its peaks: what is over in ink, what is to come pale. A rest is a line, and so is a song without an outline yet. */
import { useComputed } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { barPath, barsOf } from '../../model/waveform.js';
import { watchWidth } from '../../world/width.js';
import { useApp } from '../context.js';
import { Progress } from './progress.js';

/** From bar to bar, and how high all is. Pixels. */
const PITCH = 3;
const HEIGHT = 72;

/** The outline of `trackId`, as wide as there is room. */
export function Waveform({ trackId }: { readonly trackId: string | null }) {
  const app = useApp();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => watchWidth(box.current!, setWidth), []);
  // So that the next song is drawn when it begins.
  const nextId = useComputed(() => app.store.shownQueue.value[1]?.trackId).value;
  useEffect(() => {
    if (nextId !== undefined) app.peaks.of(nextId);
  }, [nextId, app]);
  const count = Math.floor(width / PITCH);
  const peaks = trackId === null ? null : app.peaks.of(trackId).value;
  const path = useMemo(() => {
    const bars = peaks === null ? Array.from({ length: count }, () => 0) : barsOf(peaks, count);
    return barPath(bars, { pitch: PITCH, height: HEIGHT, heightMin: 2 });
  }, [peaks, count]);
  return (
    <div class="waveform" ref={box}>
      <Progress className="waveform-layers">
        <svg width={width} height={HEIGHT} aria-hidden="true">
          <path d={path} />
        </svg>
      </Progress>
    </div>
  );
}
