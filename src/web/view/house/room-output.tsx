/** How a room sounds, for those who set it up: which channel it plays, and what its amplifier adds. */
import { useState } from 'preact/hooks';
import type { NodeView } from '../../../http/schema.js';
import { useApp, useWords } from '../context.js';

const CHANNELS = ['stereo', 'left', 'right', 'mono'] as const;
/** The same bounds as the node's. Microseconds. */
const LATENCY_MAX_US = 1_000_000;

/** Folded away: most rooms are set up once. */
export function RoomOutput({ node }: { readonly node: NodeView }) {
  const app = useApp();
  const words = useWords();
  const { id, output } = node;
  const [why, setWhy] = useState<string | null>(null);
  const set = async (body: object) => {
    if (app.whyNot.value !== null) return app.explain();
    const written = await app.actions.ask({ method: 'PUT', path: `/members/${id}/output`, body });
    setWhy(written.ok ? null : words.refusal(written.refusal.code).what);
  };
  return (
    <details class="room-output">
      <summary>{words.soundSettings}</summary>
      <label class="labelled">
        {words.channels}
        <select
          value={output.channels ?? 'stereo'}
          onChange={(event) => void set({ channels: event.currentTarget.value })}
        >
          {CHANNELS.map((channels) => (
            <option key={channels} value={channels}>
              {words.channelNames[channels]}
            </option>
          ))}
        </select>
      </label>
      <label class="labelled">
        {words.latency}
        <input
          type="number"
          min={-LATENCY_MAX_US}
          max={LATENCY_MAX_US}
          step={1}
          value={output.latencyUs ?? 0}
          onChange={(event) => void set({ latencyUs: Math.round(Number(event.currentTarget.value)) })}
        />
      </label>
      {why !== null && <p class="bad">{why}</p>}
    </details>
  );
}
