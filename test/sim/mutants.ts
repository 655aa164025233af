/**
 * Mutants: known bugs of consensus, each as a small change of the source, with the profile under which it must be found out.
 *
 * They are the proof that the simulator is worth something: a checker that no bug sets off checks nothing. A bug that an assertion of the
 * code itself would find is applied together with the removal of that assertion, where the simulator is to find it without.
 */
import type { ProfileName } from './knobs.js';

/** A change of one place: `find` occurs exactly once in `file`. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug. */
export interface Mutant {
  readonly name: string;
  /** What goes wrong in it, for people. */
  readonly bug: string;
  /** Changes that belong together. */
  readonly patches: readonly Patch[];
  readonly profile: ProfileName;
}

const PAXOS = 'src/paxos';
const STORAGE = 'src/storage';
const REPLICATION = 'src/replication';
const TRACKS = 'src/tracks';
const LIBRARY = 'src/library';
const NODE = 'src/node';

/** Two leaders may own the same ballot. */
const EQUAL_BALLOTS: readonly Patch[] = [
  {
    file: `${PAXOS}/ballot.ts`,
    find: 'return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;',
    replace: 'return 0;',
  },
  {
    file: `${PAXOS}/ballot.ts`,
    find: 'a.round === b.round && a.configId === b.configId && a.node === b.node;',
    replace: 'a.round === b.round && a.configId === b.configId;',
  },
];

/** What others may not have heard yet is done. */
const REMOVED_SOON: Patch = {
  file: `${TRACKS}/leaving.ts`,
  find: "!== 'object') this.#files.set(id, nowMs + RELEASE_MS);",
  replace: "!== 'object') this.#files.set(id, nowMs);",
};

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
  // Acceptor and leader.
  {
    name: 'promise-without-accepted',
    bug: 'a promise returns only what is known to be chosen',
    patches: [
      {
        file: `${PAXOS}/acceptor.ts`,
        find: '    } else {\n      accepted.push(',
        replace: '    } else if (slot <= chosenUpTo) {\n      accepted.push(',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'promise-per-slot',
    bug: 'accepts are compared with a promise per slot, not the one for all slots',
    patches: [
      {
        file: `${PAXOS}/acceptor.ts`,
        find: '  if (compareBallots(ballot, state.promised) < 0) {',
        replace:
          "  const held = cellAt(state.log, message.from);\n  if (held?.kind === 'accepted' && compareBallots(ballot, held.ballot) < 0) {",
      },
    ],
    profile: 'elections',
  },
  {
    name: 'one-promise',
    bug: 'a leader proposes after its own promise alone',
    patches: [
      {
        file: `${PAXOS}/campaign.ts`,
        find: 'const quorum = prepareQuorumOf(state);',
        replace: 'const quorum = 1;',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'ballot-raised-without-phase-1',
    bug: 'a leader that is outranked raises its ballot and goes on',
    patches: [
      {
        file: `${PAXOS}/elector.ts`,
        find: 'state.nowMs - role.sinceMs > timing.electionMs)\n    campaign(step);',
        replace:
          'state.nowMs - role.sinceMs > timing.electionMs) {\n    const ballot = { ...role.ballot, round: role.ballot.round + 100 };\n    state.promised = ballot;\n    state.following = ballot;\n    state.role = { ...role, ballot };\n  }',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'ballots-not-unique',
    bug: 'two nodes may own the same ballot',
    patches: EQUAL_BALLOTS,
    profile: 'elections',
  },
  {
    name: 'equal-ballot-not-asserted',
    bug: 'two nodes may own the same ballot, and no assertion looks',
    patches: [
      ...EQUAL_BALLOTS,
      {
        file: `${PAXOS}/acceptor.ts`,
        find: 'assert(sameEntry(cell.entry, entry),',
        replace: 'void (sameEntry(cell.entry, entry),',
      },
      {
        file: `${PAXOS}/merge.ts`,
        find: "assert(sameEntry(best.entry, answer.entry), 'one ballot proposes one value in a slot');",
        replace: '',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'holes-taken-for-chosen',
    bug: '"all before me is chosen" looks only at the slots that are known',
    patches: [
      {
        file: `${PAXOS}/learner.ts`,
        find: 'slotOf(Math.min(upTo, state.matchedUpTo))',
        replace: 'upTo',
      },
      {
        file: `${PAXOS}/learner.ts`,
        find: "    if (cell?.kind !== 'accepted') return;",
        replace: "    if (cell?.kind !== 'accepted') {\n      state.chosenUpTo = slot;\n      continue;\n    }",
      },
    ],
    profile: 'elections',
  },
  {
    name: 'older-accepts-taken-for-chosen',
    bug: 'what the leader calls chosen is believed of slots that were accepted under another ballot',
    patches: [
      {
        file: `${PAXOS}/learner.ts`,
        find: 'slotOf(Math.min(upTo, state.matchedUpTo))',
        replace: 'upTo',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'chosen-of-another-ballot',
    bug: 'a leader counts what members accepted under any ballot',
    patches: [
      {
        file: `${PAXOS}/leader.ts`,
        find: 'if (canVote(state, node)) matched.push(progress.matched);',
        replace:
          'if (canVote(state, node)) matched.push(slotOf(Math.max(progress.matched, Math.min(role.next - 1, state.peers.get(node)?.standing?.acceptedUpTo ?? 0))));',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'counted-twice',
    bug: 'one acceptor counts for two',
    patches: [
      {
        file: `${PAXOS}/leader.ts`,
        find: 'canVote(state, state.self) ? [role.ownMatched] : [];',
        replace: 'canVote(state, state.self) ? [role.ownMatched, role.ownMatched] : [];',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'serves-too-early',
    bug: 'a leader serves before what it proposed again, and its own first command, are chosen',
    patches: [{ file: `${PAXOS}/leader.ts`, find: '    serving: false,', replace: '    serving: true,' }],
    profile: 'reads',
  },
  {
    name: 'next-slot-too-low',
    bug: 'a leader proposes from its own last slot on, whatever the promises hold above it',
    patches: [
      {
        file: `${PAXOS}/campaign.ts`,
        find: 'for (const slots of answers) for (const slot of slots.keys()) if (slot > highest) highest = slot;',
        replace: '',
      },
    ],
    profile: 'elections',
  },
  {
    name: 'nothing-durable',
    bug: 'nothing is ever written',
    patches: [
      {
        file: `${REPLICATION}/driver.ts`,
        find: 'this.#components.store.commit(',
        replace: '((_work, done) => queueMicrotask(() => done({ batch: this.#batch, fill: 0 })))(',
      },
    ],
    profile: 'power',
  },
  {
    name: 'reply-before-sync',
    bug: 'promises and acceptances leave before they are durable',
    patches: [
      {
        file: `${REPLICATION}/driver.ts`,
        find: 'if (outgoing.token <= this.#durable) this.#send',
        replace: 'if (outgoing.token >= 0) this.#send',
      },
    ],
    profile: 'power',
  },
  {
    name: 'ballot-reused',
    bug: 'a candidate does not make its own promise durable, and asks for the same ballot again after a restart',
    patches: [
      {
        file: `${PAXOS}/campaign.ts`,
        find: 'persist(step, { promised: ballot }, { campaign: true })',
        replace: 'persist(step, {}, { campaign: true })',
      },
    ],
    profile: 'power',
  },
  {
    name: 'promise-of-an-old-ballot',
    bug: 'a promise to an older ballot counts for the new one',
    patches: [
      {
        file: `${PAXOS}/campaign.ts`,
        find: "if (role.type !== 'candidate' || !sameBallot(role.ballot, message.ballot) || !canVote(state, from)) return;",
        replace: "if (role.type !== 'candidate' || !canVote(state, from)) return;",
      },
    ],
    profile: 'elections',
  },
  {
    name: 'stale-completion',
    bug: 'a write that was asked for under an older ballot completes one of this ballot',
    patches: [
      {
        file: `${PAXOS}/step.ts`,
        find: "if (role.type === 'follower' || !sameBallot(role.ballot, token.ballot)) return;",
        replace: "if (role.type === 'follower') return;",
      },
    ],
    profile: 'elections',
  },
  {
    name: 'compacted-is-empty',
    bug: 'slots that an acceptor has compacted away are taken for empty',
    patches: [
      {
        file: `${PAXOS}/campaign.ts`,
        find: '    if (chosenUpTo <= state.chosenUpTo) continue;',
        replace: '    if (chosenUpTo >= 0) continue;',
      },
    ],
    profile: 'snapshots',
  },
  {
    name: 'no-op-over-unknown',
    bug: 'a damaged slot counts as empty in the merge',
    patches: [
      {
        file: `${PAXOS}/merge.ts`,
        find: "    if (answer.kind !== 'unknown') {",
        replace: "    if (answer.kind !== 'unknown' || answer.ballot !== null) {",
      },
    ],
    profile: 'lost',
  },

  // Storage.
  {
    name: 'truncated-at-a-bad-checksum',
    bug: 'what follows a damaged batch, and the batch itself, is taken for never written',
    patches: [{ file: `${STORAGE}/recovery-table.ts`, find: "verdict: 'unknown',", replace: "verdict: 'drop'," }],
    profile: 'disk',
  },
  {
    name: 'failed-sync-ignored',
    bug: 'a sync that fails is taken for one that did not',
    patches: [
      {
        file: `${STORAGE}/store.ts`,
        find: '    this.#segments.write(place, pages);\n    this.#ring.append(identifier);',
        replace:
          '    try {\n      this.#segments.write(place, pages);\n    } catch {}\n    try {\n      this.#ring.append(identifier);\n    } catch {}',
      },
    ],
    profile: 'disk',
  },
  {
    name: 'recycled-too-early',
    bug: 'segments and pages are used again before the superblock says that they may be',
    patches: [
      {
        file: `${STORAGE}/superblock.ts`,
        find: '    const bytes = encodeSuperblock(this.#sequence + 1, state);',
        replace:
          '    if (state.snapshot !== this.#state.snapshot) {\n      this.#state = state;\n      return;\n    }\n    const bytes = encodeSuperblock(this.#sequence + 1, state);',
      },
    ],
    profile: 'snapshots',
  },
  {
    name: 'never-compacts',
    bug: 'the log of a quiet cluster is never compacted, since only bytes of payload count as fill',
    patches: [
      {
        file: `${STORAGE}/store.ts`,
        find: 'return Math.max(this.#batches.length / geometry.ringPages, segments / geometry.segments);',
        replace: 'return (this.#holders.size * 100) / (geometry.segments * geometry.segmentBytes) + 0 * segments;',
      },
    ],
    profile: 'snapshots',
  },
  {
    name: 'torn-everywhere',
    bug: 'a tail that a power cut tore is taken for damaged, so that a dark house has the same slot unknown everywhere',
    patches: [{ file: `${STORAGE}/recovery-table.ts`, find: "verdict: 'drop',", replace: "verdict: 'gap'," }],
    profile: 'power',
  },
  {
    name: 'identifier-first',
    bug: 'the identifier is written before the batch is durable',
    patches: [
      {
        file: `${STORAGE}/store.ts`,
        find: '    this.#segments.write(place, pages);\n    this.#ring.append(identifier);',
        replace: '    this.#ring.append(identifier);\n    this.#segments.write(place, pages);',
      },
    ],
    profile: 'power',
  },

  // Liveness.
  {
    name: 'dead-disk-leads',
    bug: 'a leader whose disk hangs goes on leading',
    patches: [
      {
        file: `${PAXOS}/leader.ts`,
        find: 'return oldest !== undefined && state.nowMs - oldest.sinceMs >= DISK_STALL_MS;',
        replace: 'return oldest === null;',
      },
    ],
    profile: 'partial',
  },

  // Membership.
  {
    name: 'quorum-of-the-old-configuration',
    bug: 'votes are counted among those who voted before the last change',
    patches: [
      {
        file: `${PAXOS}/state.ts`,
        find: '  state.voters = votersOf(configuration);',
        replace: '  if (state.voters.length === 0) state.voters = votersOf(configuration);',
      },
    ],
    profile: 'membership',
  },
  {
    name: 'learner-counted',
    bug: 'whoever learns counts as an acceptor',
    patches: [
      {
        file: `${PAXOS}/state.ts`,
        find: '  state.voters.includes(node) && !state.distrusted.has(node);',
        replace: '  !state.distrusted.has(node);',
      },
    ],
    profile: 'membership',
  },
  {
    name: 'restored-card-votes',
    bug: 'a card that went back in time votes as before',
    patches: [
      {
        file: `${PAXOS}/step.ts`,
        find: 'else state.distrusted.add(event.node);',
        replace: '',
      },
    ],
    profile: 'cards',
  },

  // Sessions, reads, time.
  {
    name: 'sessions-not-in-snapshot',
    bug: 'the table of sessions is missing from the snapshot',
    patches: [
      {
        file: `${REPLICATION}/snapshot-form.ts`,
        find: 'to.bytes(snapshot.sessions.encode());',
        replace: 'to.bytes(new Sessions().encode());',
      },
    ],
    profile: 'sessions',
  },
  {
    name: 'read-before-begin',
    bug: 'a leader answers reads before an entry of its own term is chosen',
    patches: [
      {
        file: `${PAXOS}/reads.ts`,
        find: "if (role.type === 'leader' && role.serving) {",
        replace: "if (role.type === 'leader') {",
      },
    ],
    profile: 'reads',
  },
  {
    name: 'lease-from-receipt',
    bug: 'the lease runs from when the grant was received, not from when the heartbeat left',
    patches: [
      {
        file: `${PAXOS}/lease.ts`,
        find: 'Math.min(reply.sentAtMs, state.nowMs)',
        replace: 'state.nowMs',
      },
    ],
    profile: 'leases',
  },
  {
    name: 'wall-clock-decides',
    bug: 'time-outs are measured with the wall clock',
    patches: [
      {
        file: `${REPLICATION}/driver.ts`,
        find: 'return Number(this.#components.time.now()) / 1e6;',
        replace: 'return this.#components.time.wallClockMs();',
      },
    ],
    profile: 'clocks',
  },

  // Files.
  {
    name: 'attested-before-name',
    bug: 'a file is attested before its name is durable',
    patches: [
      {
        file: `${TRACKS}/held-files.ts`,
        find: 'isMoved = true;\n      this.#disk.syncDirectory(TRACKS);',
        replace: 'isMoved = true;',
      },
    ],
    profile: 'tracks',
  },
  {
    name: 'attested-before-bytes',
    bug: 'a file that was taken in is attested before its bytes are durable',
    patches: [{ file: `${TRACKS}/intake.ts`, find: 'this.#pace();\n    this.#file.sync();', replace: 'this.#pace();' }],
    profile: 'tracks',
  },
  {
    name: 'attested-before-place',
    bug: 'a file is attested when all its chunks are there, before the card has read them back and given it its place',
    patches: [
      {
        file: `${TRACKS}/fetching.ts`,
        find: 'await files.finishFetch(track.id);',
        replace: 'void files.finishFetch(track.id).catch(() => {});',
      },
    ],
    profile: 'tracks',
  },
  {
    name: 'any-holder-counts',
    bug: 'holders are counted whoever they are: learners, and cards that were exchanged or removed since',
    patches: [
      {
        file: `${LIBRARY}/holding.ts`,
        find: 'voters.filter(isHolder).length',
        replace: 'holders.length',
      },
      {
        file: `${NODE}/attestation.ts`,
        find: 'heldBy(voters) >= majorityOf(voters.length) &&',
        replace: 'holders.length >= majorityOf(voters.length) &&',
      },
    ],
    profile: 'track-members',
  },
  {
    name: 'holders-not-counted-again',
    bug: 'a track is agreed on the attestations of those who voted when it was proposed',
    patches: [
      {
        file: 'src/cluster/cluster.ts',
        find: 'if (this.#library.lacks(track.id)) checkHeld(track, voters, (holder) => this.stillCounts(holder));',
        replace: '',
      },
    ],
    profile: 'track-members',
  },
  {
    name: 'voters-change-unasked',
    bug: 'voters change although a track would be on too few of the new ones',
    patches: [
      {
        file: `${NODE}/track-safety.ts`,
        find: 'if (atRisk.length === 0) return',
        replace: 'if (atRisk.length >= 0) return',
      },
    ],
    profile: 'track-members',
  },
  {
    name: 'bad-chunk-accepted',
    bug: 'a bad chunk from a peer is accepted, and nothing looks at the whole file',
    patches: [
      {
        file: `${TRACKS}/partials.ts`,
        find: 'bytes.length === chunkLength(plan, index) &&\n      isChunk(bytes, manifest, index);',
        replace: 'bytes.length === chunkLength(plan, index);',
      },
      {
        file: `${TRACKS}/partials.ts`,
        find: "found === 'unreadable' || Buffer.compare(found.manifest, manifest) !== 0",
        replace: "found === 'unreadable'",
      },
      { file: `${TRACKS}/partials.ts`, find: 'if (found.id !== id) {', replace: "if (found.id === '') {" },
    ],
    profile: 'tracks',
  },
  {
    name: 'retracted-words-count',
    bug: 'a track is agreed on words that were taken back, and files go as soon as they are',
    patches: [
      {
        file: `${LIBRARY}/holding.ts`,
        find: '(sinceSlot ?? 0) >= (retractedIn ?? 0);',
        replace: '(sinceSlot ?? 0) >= 0 || retractedIn === undefined;',
      },
      REMOVED_SOON,
    ],
    profile: 'tracks',
  },
  {
    name: 'removed-at-once',
    bug: 'a file that nobody wants is removed before the others have heard that it is not held any more, and while its word counts',
    patches: [
      {
        file: `${NODE}/tracks.ts`,
        find: 'const isKnown = () =>',
        replace: "if (node !== '') return;\n    const isKnown = () =>",
      },
      REMOVED_SOON,
    ],
    profile: 'tracks',
  },
];
