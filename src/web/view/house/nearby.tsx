/** Daemons of the local network that are not of this house. What they say of themselves is all that is known of them. */
import { isPageUrl } from '../../model/rooms.js';
import { useApp, useWords } from '../context.js';

/** Those that wait for a house, while there are any. */
export function Nearby() {
  const app = useApp();
  const words = useWords();
  const waiting = (app.store.state.value!.nearby ?? []).filter(
    ({ cluster, httpUrl }) => cluster === null && isPageUrl(httpUrl),
  );
  if (waiting.length === 0) return null;
  return (
    <section aria-labelledby="nearby-title">
      <h3 id="nearby-title">{words.nearby}</h3>
      <p class="quiet">{words.nearbyHow}</p>
      <ul>
        {waiting.map(({ name, httpUrl }) => (
          <li key={httpUrl}>
            <a class="button" href={`${httpUrl}/#/setup`} rel="noreferrer">
              {words.openPage(name)}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
