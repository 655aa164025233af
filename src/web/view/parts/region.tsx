/** A region of the page with its heading. The one that was asked for has the first heading, and the focus when the reader comes to it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Region } from '../../model/region.js';
import { useApp, useWords } from '../context.js';

interface RegionInit {
  readonly region: Region;
  /** Beside the heading. */
  readonly aside?: ComponentChildren;
  /** The heading is there for those who hear the page only. */
  readonly isHeadingHidden?: boolean;
  readonly children: ComponentChildren;
}

/** A part of the page by its name. */
export function RegionFrame({ region, aside, isHeadingHidden = false, children }: RegionInit) {
  const app = useApp();
  const words = useWords();
  const heading = useRef<HTMLHeadingElement>(null);
  const isAsked = app.region.value === region;
  const Heading = isAsked ? 'h1' : 'h2';
  useEffect(() => {
    if (!isAsked || !app.hasMoved()) return;
    const id = app.takeFocusId();
    (id === null ? heading.current : document.getElementById(id))?.focus();
  }, [isAsked, app]);
  return (
    <section class={`region region-${region}`} aria-labelledby={`heading-${region}`}>
      <div class={isHeadingHidden ? 'out-of-sight' : 'region-head'}>
        <Heading id={`heading-${region}`} tabIndex={-1} ref={heading}>
          {words.regions[region]}
        </Heading>
        {aside}
      </div>
      {children}
    </section>
  );
}
