/** doctor: what of this machine a node needs, how it is, and what to do. */
import type { Command } from 'commander';
import { TuttiError } from '../../core/errors.js';
import { State } from '../../http/schema.js';
import type { Check } from '../doctor/check.js';
import { diagnose } from '../doctor/judge.js';
import { EXIT } from '../exit-codes.js';
import { type ConfigOptions, loadConfig, withConfigOptions } from '../load-config.js';
import type { RunCommand, Session } from '../session.js';
import { counted, printable } from '../text.js';

/** Adds `doctor` to `program`. */
export function addDoctorCommand(program: Command, run: RunCommand): void {
  withConfigOptions(program.command('doctor'))
    .summary('check this machine, and say what to do')
    .description(
      'Looks at what a node needs of this machine: disk, key, ports, sound card, rights, clock, buttons, panel; measures how long a durable write takes; and asks the node, where one runs, what it complains of. Each line is a check, with what to do where it is not as it should be. Nothing is changed. Ends with 3 where something does not work, and with 0 where it only could be better.',
    )
    .action(run(doctor));
}

async function doctor(session: Session, options: ConfigOptions): Promise<void> {
  const { components } = session;
  const config = await loadConfig(session, options);
  const state = await stateOf(session);
  const facts = await components.probe(config);
  const checks = diagnose(facts, { config, sound: components.soundCards(), state });
  if (checks.some(({ verdict }) => verdict === 'fail')) session.exitCode = EXIT.world;
  session.print({ checks }, () => `${checks.map((check) => lineOf(check, session.bold)).join('')}${summary(checks)}`);
}

/** The view of the node; null where none answers. @throws TuttiError for all that is not silence */
async function stateOf(session: Session): Promise<State | null> {
  try {
    return await session.client().read('/state', State);
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'NODE_UNREACHABLE') return null;
    throw error;
  }
}

const NAME_CELLS = 19;

function lineOf({ name, verdict, found, advice }: Check, bold: (text: string) => string): string {
  const word = verdict.padEnd(4);
  const line = `${verdict === 'ok' || verdict === 'note' ? word : bold(word)}  ${name.padEnd(NAME_CELLS)} ${printable(found)}\n`;
  return advice === null ? line : `${line}${' '.repeat(NAME_CELLS + 7)}${printable(advice)}\n`;
}

function summary(checks: readonly Check[]): string {
  const count = (wanted: Check['verdict']) => checks.filter(({ verdict }) => verdict === wanted).length;
  const [fails, warnings] = [count('fail'), count('warn')];
  if (fails + warnings === 0) return 'All is as it should be.';
  return `${counted(fails, 'failure')}, ${counted(warnings, 'warning')}.`;
}
