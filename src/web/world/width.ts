/** How wide an element is, as the browser lays it out. */

/**
 * Calls `changed` with the whole pixels, soon and after every change, until the function that it gives is called. In the frame after the
 * change: what is drawn within the same one may change the width again, and browsers call that a mistake.
 */
export function watchWidth(element: Element, changed: (pixels: number) => void): () => void {
  let frame = 0;
  const observer = new ResizeObserver(([entry]) => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => changed(Math.floor(entry!.contentRect.width)));
  });
  observer.observe(element);
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
  };
}
