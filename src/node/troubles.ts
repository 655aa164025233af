/** Which alerts a node raises: what it knows of itself and of others, turned into causes of alerts. Pure but for the list that it keeps. */
import type { NodeId, TrackId } from '../core/ids.js';
import type { Library } from '../library/library.js';
import type { QueueItem } from '../playback/model.js';
import type { PlayerStatus } from '../player/loop.js';
import type { InboxTrouble } from '../ports/inbox.js';
import type { LogStatus } from '../replication/replicated-log.js';
import type { Alerts } from './alerts.js';
import { MACHINE_TROUBLES, type MachineTrouble, severityOf } from './machine-troubles.js';

/** What may be wrong with the inbox. */
const INBOX_TROUBLES: readonly InboxTrouble[] = ['INBOX_UNUSABLE', 'INBOX_NOT_A_FILE'];

/** What there is to look at. */
export interface Findings {
  readonly self: NodeId;
  readonly output: Pick<PlayerStatus, 'state' | 'reason' | 'itemId'>;
  readonly log: Pick<LogStatus, 'trouble' | 'quorum' | 'role' | 'members'>;
  readonly queue: readonly QueueItem[];
  readonly library: Pick<Library, 'list'>;
  /** Tracks of the library that this node has no file of. */
  readonly missing: readonly { readonly id: TrackId }[];
  readonly damaged: readonly TrackId[];
  /** The disk takes no more music. */
  readonly isFull: boolean;
  readonly inbox: readonly InboxTrouble[];
  readonly outvoted: boolean;
  /** Of buttons, panel and settings. */
  readonly machine: readonly MachineTrouble[];
  /** Why the lamp does not work, in a sentence. */
  readonly lamp: string | null;
}

/** Brings `alerts` up to what was found. True where that is news. */
export function raiseAlerts(alerts: Alerts, found: Findings): boolean {
  const { output, log, missing, damaged } = found;
  const lost = found.library.list().filter((track) => track.lost === true);
  const doubted = log.members.filter(({ node, trusted }) => !trusted && node !== found.self).map(({ node }) => node);
  const silence = output.state === 'silent' ? (output.reason ?? null) : null;
  // Only a track can be unreadable, missing or damaged: a card or a clock are not about what plays.
  const isOfTrack = silence?.startsWith('TRACK_') === true;
  const silent = isOfTrack ? found.queue.find(({ id }) => id === output.itemId) : undefined;
  const news = [
    alerts.set('output', silence, { track: silent?.trackId ?? null }),
    alerts.set('disk', found.isFull ? 'DISK_FULL' : null),
    alerts.set('files', missing.length > 0 ? 'TRACK_MISSING' : null, { track: onlyOne(missing)?.id ?? null }),
    alerts.set('damage', damaged.length > 0 ? 'TRACK_DAMAGED' : null, { track: onlyOne(damaged) ?? null }),
    ...INBOX_TROUBLES.map((code) => alerts.set(code, found.inbox.includes(code) ? code : null)),
    alerts.set('lamp', found.lamp === null ? null : 'GPIO_UNAVAILABLE'),
    ...MACHINE_TROUBLES.map((code) =>
      alerts.set(code, found.machine.includes(code) ? code : null, { severity: severityOf(code) }),
    ),
    alerts.set('card', log.trouble, { severity: 'error' }),
    alerts.set('lost', lost.length > 0 ? 'TRACK_LOST' : null, {
      severity: 'error',
      track: onlyOne(lost)?.id ?? null,
    }),
    alerts.set('clock', found.outvoted ? 'CLOCK_OUTVOTED' : null, { severity: 'error' }),
    alerts.setOf(doubted, 'CARD_NOT_TRUSTED', 'error'),
    alerts.set('house', log.role === 'removed' ? 'NODE_REMOVED' : log.quorum ? null : 'NO_QUORUM', {
      severity: 'error',
    }),
  ];
  return news.includes(true);
}

/** What a list holds that holds nothing else. */
const onlyOne = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined);
