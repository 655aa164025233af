/** The ways between regions: a bar at the foot of a phone, words at the head of anything wider. */
import type { Region } from '../../model/region.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';

const AT_FOOT = ['now', 'queue', 'library', 'house'] as const;
const AT_HEAD = [...AT_FOOT, 'sync'] as const;

/** Links to all regions that there are at this place. */
export function Navigation({ place }: { readonly place: 'head' | 'foot' }) {
  const app = useApp();
  const words = useWords();
  const regions: readonly Exclude<Region, 'setup'>[] = place === 'foot' ? AT_FOOT : AT_HEAD;
  return (
    <nav class={`nav nav-${place}`} aria-label={words.navigation}>
      {regions.map((region) => (
        <a key={region} href={`#/${region}`} aria-current={app.region.value === region ? 'page' : undefined}>
          {place === 'foot' && <Icon name={region} />}
          <span>{words.regions[region]}</span>
        </a>
      ))}
    </nav>
  );
}
