/**
 * How far the song is, as a bar. The browser's compositor moves it: one animation from where the song is to its end, set anew when what was
 * agreed changes. The page itself does nothing meanwhile.
 */
import { useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Moment } from '../../model/position.js';
import { useApp } from '../context.js';

/** A differing animation is set anew; a lesser difference is not to be seen. Milliseconds. */
const DRIFT_MS_MAX = 60;

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
  readonly status: Moment['status'];
  readonly durationMs: number;
}

/** Two layers slide against each other, so that what is inside stands still while its cover opens: both are moves that cost no painting. */
function follow(
  running: Running | null,
  moment: Moment | null,
  cover: HTMLElement,
  inner: HTMLElement,
): Running | null {
  const { itemId = null, status = 'stopped', positionMs = 0, durationMs = 0 } = moment ?? {};
  const isSame = running?.itemId === itemId && running.status === status && running.durationMs === durationMs;
  const shownMs = Number(running?.animations[0]?.currentTime ?? Number.NaN);
  if (isSame && Math.abs(shownMs - positionMs) < DRIFT_MS_MAX) return running;
  for (const animation of running?.animations ?? []) animation.cancel();
  const options: KeyframeAnimationOptions = { duration: Math.max(1, durationMs), fill: 'both' };
  const animations = [
    cover.animate([{ transform: 'translateX(-100%)' }, { transform: 'translateX(0)' }], options),
    inner.animate([{ transform: 'translateX(100%)' }, { transform: 'translateX(0)' }], options),
  ];
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  for (const animation of animations) {
    animation.currentTime = durationMs === 0 ? 0 : positionMs;
    if (status !== 'playing' || isStill) animation.pause();
  }
  return { animations, itemId, status, durationMs };
}
