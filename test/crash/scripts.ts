/** The twenty scripts whose every disk operation loses power: see points.ts. */
import { accept, ballot, boot, record, records, work } from '../storage/support.js';
import { at, type Run, type Script } from './points.js';

/** One slot after another, each chosen when the next is accepted. */
const acceptOneByOne = (run: Run, from: number, to: number, round = 1) => {
  for (let slot = from; slot <= to; slot++) {
    run.commit(work({ records: [record(slot, round)], chosenUpTo: at(slot - 1) }));
  }
};

const nothing = () => {};

/** In four groups of about the same length, for four test files that run side by side. */
export const SCRIPT_GROUPS: readonly (readonly Script[])[] = [
  [
    {
      name: 'format and the first start',
      before: nothing,
      body: (run) => {
        run.format();
        run.open();
        run.commit(accept(record(1, 1)));
      },
    },
    { name: 'one commit after another', body: (run) => acceptOneByOne(run, 1, 8) },
    {
      name: 'promises alone',
      body: (run) => {
        for (let round = 1; round <= 6; round++) run.commit(work({ promised: ballot(round) }));
      },
    },
    {
      name: 'promises and records of rival leaders',
      body: (run) => {
        for (let round = 1; round <= 5; round++) {
          run.commit(work({ promised: ballot(round) }));
          run.commit(accept(...records(1, round + 1, round)));
        }
      },
    },
    {
      name: 'a group commit of many works',
      body: (run) => {
        for (let from = 1; from <= 19; from += 6) {
          run.commit(
            accept(record(from, 1)),
            work({ promised: ballot(2), records: [record(from, 2), record(from + 1, 2)] }),
            accept(...records(from + 2, from + 5, 2)),
          );
        }
      },
    },
  ],
  [
    {
      name: 'one commit of several batches, over the ends of segments',
      body: (run) => {
        run.commit(accept(record(1, 1)));
        run.commit(
          work({ records: records(2, 10, 1, { bytes: 3_000 }), chosenUpTo: at(10) }),
          work({ promised: ballot(2), records: [record(11, 2)] }),
        );
      },
    },
    {
      name: 'batches of many pages',
      body: (run) => {
        for (let slot = 1; slot <= 3; slot++) run.commit(accept(record(slot, 1, { bytes: 9_000 })));
        run.save(2);
        run.commit(accept(record(3, 2, { bytes: 12_000 })));
      },
    },
    {
      name: 'the same slots again and again',
      body: (run) => {
        for (let round = 1; round <= 8; round++) run.commit(accept(...records(1, 3, round)));
      },
    },
    {
      name: 'a snapshot, and one more',
      body: (run) => {
        acceptOneByOne(run, 1, 4);
        run.save(3);
        acceptOneByOne(run, 5, 7);
        run.save(7, 'larger than a page '.repeat(400));
        run.commit(accept(record(8, 1)));
      },
    },
    {
      name: 'a snapshot below records that nobody knows to be chosen',
      body: (run) => {
        run.commit(accept(...records(1, 6, 1)));
        run.commit(accept(...records(4, 9, 2)));
        run.save(2);
        run.save(5);
        run.commit(accept(record(10, 2)));
      },
    },
  ],
  [
    {
      name: 'twice around the ring and the segments',
      before: (run) => {
        run.format();
        run.open();
        acceptOneByOne(run, 1, 10);
        run.save(9);
        acceptOneByOne(run, 11, 18);
      },
      body: (run) => {
        run.save(17);
        acceptOneByOne(run, 19, 26);
        run.save(25);
        acceptOneByOne(run, 27, 30);
      },
    },
    {
      name: 'a snapshot of a peer, far ahead',
      body: (run) => {
        acceptOneByOne(run, 1, 3);
        run.install(40, { configuration: Uint8Array.of(2, 2), promised: ballot(9) });
        acceptOneByOne(run, 41, 43, 9);
        run.install(42, { configuration: Uint8Array.of(3), promised: null });
        acceptOneByOne(run, 44, 45, 10);
      },
    },
    {
      name: 'a change of configuration with the record that leads to it',
      body: (run) => {
        run.commit(accept(...records(1, 3, 1)));
        run.commit(work({ records: records(4, 5, 1), configuration: Uint8Array.of(2), leaseMs: 900 }));
        run.commit(
          accept(...records(6, 12, 1, { bytes: 4_000 })),
          work({ records: [record(13, 1)], configuration: new Uint8Array(9_000).fill(3), promised: ballot(3) }),
        );
        run.commit(work({ configuration: Uint8Array.of(4) }));
      },
    },
    {
      name: 'starts, and starts forgotten',
      body: (run) => {
        for (let start = 1; start <= 4; start++) {
          run.commit(accept(record(start, start)));
          run.reopen();
        }
        run.forget(boot(3));
        run.commit(work({ promised: ballot(9) }));
        run.reopen();
      },
    },
    {
      name: 'recovery of recovery: killed, cut and restarted in turn',
      body: (run) => {
        for (let round = 1; round <= 3; round++) {
          run.commit(accept(record(round, round)), work({ promised: ballot(round + 1) }));
          run.kill();
          run.commit(accept(record(round, round + 1)));
          run.crash(round);
        }
      },
    },
  ],
  [
    {
      name: 'a disk that is full: commits go on, the ballast makes room for a snapshot',
      limits: { ballastBytes: 64 << 10 },
      body: (run) => {
        acceptOneByOne(run, 1, 4);
        run.disk.setFreeBytes(0);
        acceptOneByOne(run, 5, 8);
        run.save(6, 'found room '.repeat(2_000));
        acceptOneByOne(run, 9, 10);
        run.disk.setFreeBytes(1 << 20);
        run.save(10);
        acceptOneByOne(run, 11, 12);
      },
    },
    {
      name: 'a slow learner: records in any order, known to be chosen',
      body: (run) => {
        run.commit(accept(record(5, 1), record(6, 1)));
        run.commit(accept(...[1, 2, 3, 4].map((slot) => record(slot, 1, { chosen: true }))));
        run.commit(accept(record(6, 2, { chosen: true }), record(5, 2, { chosen: true })));
        run.commit(work({ records: [record(7, 2)], chosenUpTo: at(6) }));
      },
    },
    {
      name: 'more ranges of slots than a page of the ring names',
      // A ring of this size lets a batch hold so many records.
      limits: { ringPages: 192 },
      body: (run) => {
        run.commit(accept(...Array.from({ length: 45 }, (_, index) => record(2 * index + 1, 1 + (index % 3)))));
        run.commit(accept(...Array.from({ length: 40 }, (_, index) => record(2 * index + 2, 4))));
      },
    },
    {
      name: 'tables of cards, large and small',
      body: (run) => {
        run.commit(work({ records: [record(1, 1)], cards: new Uint8Array(4_096).fill(1) }));
        run.commit(work({ records: [record(2, 1)], cards: new Uint8Array(4_096).fill(1) }));
        run.commit(work({ records: [record(3, 1)], cards: Uint8Array.of(2) }));
        run.commit(work({ cards: Uint8Array.of(3) }), accept(record(4, 1)));
        run.save(3);
        run.reopen();
        run.commit(accept(record(5, 1)));
      },
    },
    {
      name: 'everything at once',
      before: (run) => {
        run.format();
        run.open();
        acceptOneByOne(run, 1, 9);
        run.save(8);
      },
      body: (run) => {
        run.commit(work({ promised: ballot(3) }), accept(...records(10, 14, 3, { bytes: 2_000 })));
        run.kill();
        run.install(12, { configuration: Uint8Array.of(5), promised: ballot(4) });
        run.commit(work({ records: records(13, 16, 4), leaseMs: 800, chosenUpTo: at(14) }));
        run.save(14);
        run.crash(77);
        run.commit(accept(...records(15, 20, 5)));
        run.save(19);
        run.reopen();
      },
    },
  ],
];
