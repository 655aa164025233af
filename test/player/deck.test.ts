/** The player's end of a deck while the reader is at work: what it says of one piece never counts sound of another. */
import t from 'tap';
import { Deck, type DeckMemory, openForWriting, type ReaderRequest } from '../../src/player/deck.js';
import { Rig, segmentOf } from './rig.js';

/** A deck with two pieces of one channel; of the first there are 50 frames so far, and `breakOff` says that there are no more. */
function halfRead() {
  const rig = new Rig();
  const track = (item: string) => segmentOf(rig.track({ channels: 1, frames: 100 }), { item, start: 0 });
  const [a, b] = [track('a'), track('b')];
  let memory!: DeckMemory;
  const send = (request: ReaderRequest) => {
    if (request.type === 'fill') memory = request.memory;
  };
  const deck = new Deck({ send, time: rig.time }, { index: 0 });
  deck.fill(a, 0, 0n);
  deck.extend(b);
  const { ring, control } = openForWriting(memory);
  ring.reset();
  control.begin(1);
  ring.write(new Float64Array(50), 50);
  const breakOff = () => {
    control.fail(0, 'TRACK_UNREADABLE', 50);
    ring.write(new Float64Array(40), 40);
  };
  return { deck, a, b, breakOff };
}

t.test('a piece that breaks off between two questions gets no frames of the next one', (t) => {
  const { deck, a, b, breakOff } = halfRead();
  t.ok(deck.isAt(a));
  deck.skip(50);
  breakOff();
  t.equal(deck.availableFrames(), 0, 'the caller still takes it for the first piece');
  t.notOk(deck.isAt(a));
  t.ok(deck.isAt(b));
  t.same([deck.headFrame, deck.availableFrames()], [0, 40]);
  t.end();
});

t.test('a piece that breaks off while its frames are counted gets no frames of the next one', (t) => {
  const { load } = Atomics;
  t.teardown(() => {
    Atomics.load = load;
  });
  // The reader comes in ahead of each reading of shared memory in turn.
  for (let turn = 0, wasReached = true; wasReached; turn++) {
    const { deck, a, breakOff } = halfRead();
    t.ok(deck.isAt(a));
    let loads = 0;
    Atomics.load = ((...args: Parameters<typeof load>) => {
      if (loads++ === turn) breakOff();
      return load(...args);
    }) as typeof load;
    const frames = deck.availableFrames();
    Atomics.load = load;
    wasReached = loads > turn;
    t.equal(frames, 50, `ahead of reading ${turn}`);
  }
  t.end();
});
