/** What needs attention and lasts, from the node's own list: in words, with what to do about it. */
import { useApp, useWords } from '../context.js';

/** The list, while there is anything in it, under a heading of its own. */
export function Alerts({ level: Heading = 'h3' }: { readonly level?: 'h2' | 'h3' }) {
  const app = useApp();
  const words = useWords();
  const { alerts, nodes } = app.store.state.value!;
  const { byId } = app.store.tracks.value;
  if (alerts.length === 0) return null;
  return (
    <section class="alerts" aria-labelledby="alerts-title">
      <Heading id="alerts-title">{words.needsAttention}</Heading>
      <ul>
        {alerts.map(({ code, severity, nodeId, trackId }) => {
          const { what, todo } = words.refusal(code);
          const room = nodes.find(({ id }) => id === nodeId)?.name;
          const title = trackId === null ? undefined : byId.get(trackId)?.title;
          const about = [room, title].filter((text) => text !== undefined).join(', ');
          return (
            <li key={`${code} ${nodeId}`} class={`alert alert-${severity}`}>
              {about !== '' && <strong>{about}: </strong>}
              {what} {todo}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
