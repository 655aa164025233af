/** How the process is told to end. */

/** The first SIGTERM or SIGINT; the second ends the process at once. */
export function endingSignal(): { readonly signal: Promise<NodeJS.Signals>; forget(): void } {
  let resolve: (signal: NodeJS.Signals) => void = () => {};
  const signal = new Promise<NodeJS.Signals>((given) => {
    resolve = given;
  });
  let asked = false;
  const handler = (name: NodeJS.Signals, number: number) => {
    if (asked) process.exit(128 + number);
    asked = true;
    resolve(name);
  };
  process.on('SIGTERM', handler).on('SIGINT', handler);
  return { signal, forget: () => process.off('SIGTERM', handler).off('SIGINT', handler) };
}
