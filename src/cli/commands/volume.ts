/** volume, mute, unmute: of the whole house. */
import type { Command } from 'commander';
import { State, Written } from '../../http/schema.js';
import { readVolume } from '../arguments.js';
import type { NodeClient } from '../node-client.js';
import type { RunCommand, Session } from '../session.js';

/** Adds `volume`, `mute` and `unmute` to `program`; each prints volume and mute as they are then. */
export function addVolumeCommands(program: Command, run: RunCommand): void {
  program
    .command('volume')
    .summary('show or set the volume')
    .description('Shows the volume of the house; with VOLUME sets it, or changes it by +N or -N.')
    .argument('[volume]', 'per cent from 0 to 100, or +N or -N')
    .action(run(volume));
  program
    .command('mute')
    .summary('mute the house')
    .description('Mutes the house. The volume is kept.')
    .action(run((session) => setMuted(session, true)));
  program
    .command('unmute')
    .summary('let the house sound again')
    .description('Ends the muting.')
    .action(run((session) => setMuted(session, false)));
}

async function volume(session: Session, typed: string | undefined): Promise<void> {
  const client = session.client();
  if (typed !== undefined) await client.write('PUT', '/volume', Written, readVolume(typed));
  await print(session, client);
}

async function setMuted(session: Session, muted: boolean): Promise<void> {
  const client = session.client();
  await client.write('PUT', '/volume', Written, { muted });
  await print(session, client);
}

async function print(session: Session, client: NodeClient): Promise<void> {
  const { volume, muted } = await client.read('/state', State);
  session.print({ volume, muted }, () => `Volume: ${humanVolume(volume, muted)}`);
}

/** `40 %`, or `40 %, muted`. */
export const humanVolume = (volume: number, muted: boolean): string => `${volume} %${muted ? ', muted' : ''}`;
