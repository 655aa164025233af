/**
 * The demo with several nodes: they play as one, and the one that leads is killed in mid-song (killed.ts).
 *
 * A machine on which others work may keep a player from its card for longer than the card's queue lasts. That is nothing that Tutti could
 * make good, so what was heard then is no verdict on it: it is done once more.
 */
import { EXIT } from '../exit-codes.js';
import { bringMusic, formHouse, play } from './house.js';
import { killOne } from './killed.js';
import { leftChannel } from './music.js';
import { sound } from './room.js';
import type { Story } from './story.js';
import { verdictOn } from './verdict.js';

/** How often it is tried on a machine that is too busy. */
const ATTEMPTS = 3;
/** Times that the songs are queued: three minutes of music, more than all attempts take. */
const ROUNDS = 6;

/** Plays in several rooms, kills the one that leads, and starts it again. */
export const manyRooms: Story = async (rooms, stage) => {
  const originNs = stage.time.now();
  await formHouse(rooms, stage.say);
  const trackIds = await bringMusic(rooms, stage.say);
  await play(rooms, Array.from({ length: ROUNDS }, () => trackIds).flat());
  await sound(rooms);
  stage.say(`All ${rooms.length} rooms play.`);
  const music = leftChannel();
  for (let attempt = 1; ; attempt++) {
    const verdict = verdictOn(await killOne(rooms, stage, { originNs, trackIds, music }));
    if (verdict.exitCode !== EXIT.world || attempt === ATTEMPTS) return verdict;
    stage.say(`${verdict.text} Once more.`);
  }
};
