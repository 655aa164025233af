/** The house: a sentence first, then a part for each room. Fullest when something is wrong. */

import { houseSummary } from '../../model/house-words.js';
import { apartUs, IN_STEP_US_MAX } from '../../model/rooms.js';
import { useApp, useWords } from '../context.js';
import { RegionFrame } from '../parts/region.js';
import { Alerts } from './alerts.js';
import { Nearby } from './nearby.js';
import { RoomPart } from './room-part.js';

/** The region of the house. */
export function HouseRegion() {
  const app = useApp();
  const words = useWords();
  const state = app.store.state.value!;
  const { rooms, there, silent, leader } = houseSummary(state);
  const apart = apartUs(rooms);
  const sentences = [
    rooms.length === 1 ? words.onlyRoom(rooms[0]!.name) : words.roomsOnline(there, rooms.length),
    ...(silent.length > 0 ? [words.someSilent(silent.map(({ name }) => name))] : []),
    ...(apart !== null && apart <= IN_STEP_US_MAX ? [`${words.inStep(apart)}.`] : []),
    ...(rooms.length > 1 ? [leader === null ? words.nobodyLeads : words.whoLeads(leader.name)] : []),
  ];
  return (
    <RegionFrame
      region="house"
      aside={
        <a class="button" href="#/sync">
          {words.showSync}
        </a>
      }
    >
      <p class="house-sentence">{sentences.join(' ')}</p>
      <p class="quiet">{words.seenFrom(state.node.name)}</p>
      <Alerts />
      <ul class="parts">
        {state.nodes.map((node) => (
          <RoomPart key={node.id} node={node} />
        ))}
      </ul>
      <Nearby />
      <p class="quiet about">{words.about(state.node.name, state.node.version)}</p>
    </RegionFrame>
  );
}
