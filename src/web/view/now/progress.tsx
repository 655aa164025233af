/**
 * How far the song is, as a bar. The browser's compositor moves it: one animation from where the song is to its end, set anew when what was
 * agreed changes. The page itself does nothing meanwhile.
 */
import { useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { isHeld, type Moment } from '../../model/position.js';
import { nowMs } from '../../world/timers.js';
import { useApp } from '../context.js';

const REDUCED_MOTION = matchMedia('(prefers-reduced-motion: reduce)');

/** A differing animation is set anew; a lesser difference is not to be seen. Milliseconds. */
const DRIFT_MS_MAX = 20;

/** A bar; or two layers of whatever is given, the upper of which is uncovered as far as the song is. */
export function Progress({
  className,
  children,
}: {
  readonly className: string;
  readonly children?: ComponentChildren;
}) {
  const app = useApp();
  const cover = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const running = useRef<Running | null>(null);
  // Nothing is drawn anew while a song goes on: the animation is looked at, and mostly left alone.
  useSignalEffect(() => {
    running.current = follow(running.current, app.ticker.moment.value, cover.current!, inner.current!);
  });
  return (
    <div class={`progress ${className}`} aria-hidden="true">
      {children !== undefined && <div class="progress-rest">{children}</div>}
      <div class="progress-cover" ref={cover}>
        <div class="progress-inner" ref={inner}>
          {children ?? <div class="progress-fill" />}
        </div>
      </div>
    </div>
  );
}

interface Running {
  readonly animations: readonly Animation[];
  readonly itemId: string | null;
  readonly durationMs: number;
  readonly isGoing: boolean;
  /** Local time at which it was at its beginning; where it stands, less its position. Milliseconds. */
  readonly originMs: number;
}

/** Two layers slide against each other, so that what is inside stands still while its cover opens: both are moves that cost no painting. */
function follow(
  running: Running | null,
  moment: Moment | null,
  cover: HTMLElement,
  inner: HTMLElement,
): Running | null {
  const { itemId = null, status = 'stopped', positionMs = 0, durationMs = 0 } = moment ?? {};
  const isGoing = status === 'playing' && !isHeld(moment!) && !REDUCED_MOTION.matches;
  const originMs = (isGoing ? nowMs() : 0) - positionMs;
  const isSame = running?.itemId === itemId && running.durationMs === durationMs && running.isGoing === isGoing;
  if (isSame && Math.abs(running.originMs - originMs) < DRIFT_MS_MAX) return running;
  for (const animation of running?.animations ?? []) animation.cancel();
  const options: KeyframeAnimationOptions = { duration: Math.max(1, durationMs), fill: 'both' };
  const animations = [
    cover.animate([{ transform: 'translateX(-100%)' }, { transform: 'translateX(0)' }], options),
    inner.animate([{ transform: 'translateX(100%)' }, { transform: 'translateX(0)' }], options),
  ];
  for (const animation of animations) {
    animation.pause();
    animation.currentTime = positionMs;
    // By the clock, and not from the next frame on, which a busy machine is slow to draw.
    if (isGoing) animation.startTime = originMs;
  }
  return { animations, itemId, durationMs, isGoing, originMs };
}
