/** Looking at how the rooms keep in step. */
import { useEffect } from 'preact/hooks';
import type { Sync } from '../../../http/schema.js';
import { useApp } from '../context.js';

/** The figures as they come; null before the first. A node of which nothing is heard is not asked: the link sees to it, and asks less often. */
export function useSync(everyMs: number): Sync | null {
  const { store, sync } = useApp();
  const isStale = store.isStale.value;
  useEffect(() => (isStale ? undefined : sync.follow(everyMs)), [sync, isStale, everyMs]);
  return sync.latest.value;
}
