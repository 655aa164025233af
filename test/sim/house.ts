/**
 * House: the machines taken together: who leads, who is a member, who votes.
 *
 * Members are those of whom the machine knows that has applied the most: nobody has a better word for it.
 */
import type { NodeId } from '../../src/core/ids.js';
import type { LogStatus } from '../../src/replication/replicated-log.js';
import type { ProcessId } from './checkers/observation.js';
import type { Machine } from './machine.js';

type Members = LogStatus['members'];

/** Looks, and changes nothing. */
export class House {
  readonly machines: readonly Machine[];

  constructor(components: { readonly machines: readonly Machine[] }) {
    this.machines = components.machines;
  }

  /** Who leads, as far as anybody can say who would be found; null for nobody. */
  leader(): Machine | null {
    return this.machines.find((machine) => machine.answers && machine.status()?.role === 'leader') ?? null;
  }

  /** Machines whom a caller would find. */
  answering(): Machine[] {
    return this.machines.filter(({ answers }) => answers);
  }

  /** The machine that has applied the most; null while none is up. */
  latest(): Machine | null {
    let latest: Machine | null = null;
    for (const machine of this.machines) {
      if (machine.isUp && machine.appliedSlot > (latest?.appliedSlot ?? -1)) latest = machine;
    }
    return latest;
  }

  /** Machines that vote in the latest configuration. */
  voters(): Machine[] {
    const members = this.#latestMembers();
    return this.machines.filter(
      ({ identity, isClone }) =>
        !isClone &&
        members.some(
          ({ node, incarnation, voter }) => voter && node === identity?.node && incarnation === identity.incarnation,
        ),
    );
  }

  /** Who is to hold everything in the end: machines whose cards are members of the latest configuration. */
  members(): Machine[] {
    const members = this.#latestMembers();
    return this.machines.filter((machine) => members.some(({ node }) => node === machine.identity?.node));
  }

  /** False once the latest configuration is without it; true also while nobody can say. */
  isMember(node: NodeId): boolean {
    const members = this.latest()?.status()?.members;
    return members?.some((member) => member.node === node) !== false;
  }

  /** Members as a process knows them; none where it runs no more. */
  membersAt(process: ProcessId): Members {
    return this.machines.find(({ processId }) => processId === process)?.status()?.members ?? [];
  }

  /** All others know of the process that runs there. */
  isKnown(machine: Machine): boolean {
    const { identity, boot } = machine;
    if (identity === null) return false;
    const others = this.members().filter((other) => other !== machine);
    return others.every((other) => other.isUp && other.state?.member(identity.node)?.boot?.bootId === boot);
  }

  /** Somebody came in the place of a card that is gone, and has not taken it yet. */
  hasLostVoter(): boolean {
    const isThere = (node: NodeId) => this.machines.some(({ identity }) => identity?.node === node);
    return this.#latestMembers().some(({ node, voter }) => voter && !isThere(node));
  }

  /** All that are up agree on who is a member, and on who votes. */
  agreesOnMembers(): boolean {
    const views = this.machines
      .filter(({ isUp }) => isUp)
      .map((machine) =>
        machine
          .status()!
          .members.map(({ node, voter }) => `${node} ${voter}`)
          .join(),
      );
    return views.every((view) => view === views[0]);
  }

  #latestMembers(): Members {
    return this.latest()?.status()?.members ?? [];
  }
}
