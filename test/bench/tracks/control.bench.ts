/**
 * What must not wait while a file is copied: commits and strong reads, on cards that take 10 MB a second and 20 ms for a sync, and that log and
 * files share (slow-card.ts). The file comes in at the leader, so that its card is written to by the upload, read back from, and by every commit.
 */
import { fileURLToPath } from 'node:url';
import { leaderOf } from '../consensus/contestant.js';
import { latenciesOf, oneByOne } from '../consensus/load.js';
import { startHouse, type TuttiMember } from '../consensus/tutti-house.js';
import { atMostTimesPeer, forInformation, type Row, type Suite } from '../row.js';
import { MB, songsOf } from './songs.js';
import { copyEverywhere } from './uploading.js';

const SLOW_CARD = fileURLToPath(new URL('./slow-card.js', import.meta.url));
/** A song of four minutes. Bytes. */
const SONG_BYTES = 40 * MB;
/** While nothing is copied. */
const COMMITS = 300;
const READS = 1_000;
/** Between two looks whether the file is everywhere. */
const COMMITS_AT_ONCE = 10;
/** By how much a transfer may slow down what must not wait. */
const TIMES_IDLE_MAX = 3;

async function run(): Promise<Row[]> {
  const house = await startHouse({ nodeArgs: ['--import', SLOW_CARD] });
  try {
    const leader = (await leaderOf(house)) as TuttiMember;
    const commit = (n: number) => leader.writeRequest(n);
    const read = () => leader.strongReadRequest();
    await oneByOne(leader.port, commit, COMMITS / 10);
    const idle = {
      commits: latenciesOf(await oneByOne(leader.port, commit, COMMITS)),
      reads: latenciesOf(await oneByOne(leader.port, read, READS)),
    };
    let isOver = false;
    const copying = copyEverywhere(house, leader, songsOf(SONG_BYTES)()).finally(() => {
      isOver = true;
    });
    const commits: number[] = [];
    const reads: number[] = [];
    const commitOn = async () => {
      while (!isOver) commits.push(...(await oneByOne(leader.port, commit, COMMITS_AT_ONCE)));
    };
    const readOn = async () => {
      while (!isOver) reads.push(...(await oneByOne(leader.port, read, COMMITS_AT_ONCE)));
    };
    const [copied] = await Promise.all([copying, commitOn(), readOn()]);
    const what = `while ${SONG_BYTES / MB} MB are copied`;
    const beside = (name: string, during: readonly number[], alone: number) =>
      atMostTimesPeer(TIMES_IDLE_MAX, {
        what: `${name} ${what}: p99 of ${during.length}`,
        figure: latenciesOf(during).p99,
        unit: 'ms',
        peer: { name: 'idle', figure: alone },
      });
    return [
      beside('commits', commits, idle.commits.p99),
      beside('strong reads', reads, idle.reads.p99),
      forInformation({ what: `commits ${what}: p50`, figure: latenciesOf(commits).p50, unit: 'ms' }),
      forInformation({ what: 'commits, idle: p50', figure: idle.commits.p50, unit: 'ms' }),
      forInformation({ what: `until all three hold it`, figure: copied.everywhereMs / 1_000, unit: 's' }),
    ];
  } finally {
    await house.stop();
  }
}

const suite: Suite = { name: 'tracks-control', run };
export default suite;
