/** One command of each type with all its fields, and some with as few as may be. Their bytes are in test/golden/commands.txt. */
import type { Command, Proposal } from '../../src/cluster/command.js';
import type { BootId, Incarnation } from '../../src/core/ids.js';
import { itemId, slot } from '../../src/core/ids.js';
import { BATH, cardOf, heldBy, idOf, KITCHEN, trackNamed } from './house.js';

const commands: readonly Command[] = [
  {
    type: 'track.add',
    track: {
      ...trackNamed(1, 'Für Elise', 2.5, 44_100),
      format: { sampleRate: 44_100, channels: 2, sample: 's24', dataOffset: 80, channelMask: 3 },
      tags: {
        title: 'Für Elise',
        artist: 'L. v. B.',
        album: 'Bagatelles',
        number: 3,
        date: '1810',
        genre: 'Classical',
      },
      loudness: { integratedLufs: -23.1, samplePeak: 0.891 },
    },
  },
  {
    type: 'track.add',
    track: { ...trackNamed(2, 'x'), tags: {}, loudness: { integratedLufs: null, samplePeak: 0 }, holders: [] },
  },
  { type: 'track.remove', trackId: idOf(1) },
  { type: 'track.rename', trackId: idOf(1), title: 'WoO 59' },
  { type: 'queue.add', trackIds: [idOf(1), idOf(2)] },
  { type: 'queue.add', trackIds: [idOf(1)], beforeItemId: itemId('i3') },
  { type: 'queue.add', trackIds: [idOf(1)], next: true },
  { type: 'queue.remove', itemId: itemId('i3') },
  { type: 'queue.move', itemId: itemId('i3'), beforeItemId: itemId('i2') },
  { type: 'queue.move', itemId: itemId('i3'), beforeItemId: null },
  { type: 'queue.clear' },
  { type: 'queue.clear', current: true },
  { type: 'queue.shuffle', seed: 4_294_967_295 },
  { type: 'transport.play' },
  { type: 'transport.play', trackId: idOf(2), expectItem: itemId('i1') },
  { type: 'transport.play', itemId: itemId('i4') },
  { type: 'transport.pause', expectItem: itemId('i1') },
  { type: 'transport.stop', expectItem: itemId('i1') },
  { type: 'transport.skip', expectItem: itemId('i1') },
  { type: 'transport.previous', expectItem: itemId('i1') },
  { type: 'transport.seek', positionMs: 61_500, expectItem: itemId('i1') },
  { type: 'transport.mode', repeat: 'off' },
  { type: 'transport.mode', repeat: 'all' },
  { type: 'transport.mode', repeat: 'one' },
  { type: 'transport.mark' },
  { type: 'volume.set', volume: 40 },
  { type: 'volume.set', node: BATH, delta: -5, muted: true },
  { type: 'output.set', node: BATH, latencyUs: 1_500, channels: 'left' },
  {
    type: 'node.describe',
    node: KITCHEN,
    name: 'kitchen',
    address: '192.0.2.7:7420',
    httpUrl: 'http://192.0.2.7:8080',
    version: '0.1.0',
    commandVersion: 1,
  },
  {
    type: 'leader.begin',
    node: KITCHEN,
    epoch: 2,
    reserveUntilNs: 86_400_000_000_000n,
    reproposed: [slot(7), slot(8)],
  },
  { type: 'leader.reserve', reserveUntilNs: 172_800_000_000_000n },
  { type: 'member.boot', node: KITCHEN, incarnation: 'c'.repeat(32) as Incarnation, bootId: 'd'.repeat(32) as BootId },
];

export const EXAMPLES: readonly Proposal[] = [
  ...commands.map((command): Proposal => ({ command, origin: { node: KITCHEN, via: 'web' } })),
  {
    command: { type: 'transport.skip' },
    origin: { node: BATH, via: 'button', key: 'a key', firstSentNs: 1_234_567_890_123n },
  },
  // What the second command set brought.
  { command: heldBy([cardOf(KITCHEN), cardOf(BATH)]), origin: { node: KITCHEN, via: 'api', key: 'another key' } },
  { command: { type: 'track.lose', trackIds: [idOf(1), idOf(2)] }, origin: { node: KITCHEN, via: 'node' } },
  // What the third brought.
  { command: { type: 'member.retract', node: KITCHEN }, origin: { node: KITCHEN, via: 'node' } },
  {
    command: heldBy([{ ...cardOf(KITCHEN), sinceSlot: slot(7) }, cardOf(BATH)]),
    origin: { node: KITCHEN, via: 'api', key: 'a third key' },
  },
];
