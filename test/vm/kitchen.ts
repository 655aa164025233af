/** A machine whose node leads a house of its own, with a tone to play over and over: furnished once, and kept beside what is installed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { kept } from './image.js';
import { installed, keepDisks, withDisks } from './installed.js';
import { Machine, PATIENCE_MS } from './machine.js';
import { toneWav } from './sound.js';

/** What prints the number of the node's process. */
export const PID = 'systemctl show tutti -p MainPID --value';

const LEADS = "systemctl show tutti -p StatusText | grep -q '^StatusText=leader, 1/1 nodes'";

/** What the tests look at of the node's state. */
export interface State {
  readonly cluster: { readonly appliedSlot: number };
  readonly volume: number;
  readonly alerts: readonly { readonly code: string }[];
  readonly transport: { readonly status: string; readonly changedBy: { readonly via: string } | null };
  readonly tracks: readonly { readonly title: string }[];
  readonly nodes: readonly { readonly output: { readonly state: string } }[];
}

/** Switched on. Its node has not begun to serve yet. */
export async function kitchen(t: Test): Promise<Machine> {
  const { image } = await installed(t);
  const recipe = readFileSync(fileURLToPath(import.meta.url));
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 16);
  const folder = join(image.folder, `kitchen-${hash}`);
  await kept(folder, async (unfinished) => {
    const machine = Machine.make(t, image);
    await machine.start();
    await furnish(machine);
    await machine.powerOff();
    keepDisks(machine, unfinished);
  });
  const machine = Machine.make(t, { ...image, ...withDisks(folder) });
  t.comment(`from power-on to sshd: ${(await machine.start()).toFixed(1)} s, on ${await machine.processor()}`);
  return machine;
}

async function furnish(machine: Machine): Promise<void> {
  await machine.must(`cat >>/etc/tutti/tutti.toml <<'TEXT'
resume_after_outage = "play"
[output]
device = "hw:CARD=Loopback,DEV=0"
queue_ms = 400
TEXT
    usermod -aG tutti pi
    systemctl restart tutti`);
  // On a busy machine the answer may come later than the command line waits for it.
  await machine.run('tutti init');
  await leads(machine);
  const { status } = await machine.call('PUT', '/tracks/tone.wav', toneWav(20));
  if (status !== 201) throw new Error(`the tone was refused: ${status}`);
  await machine.run('tutti queue add tone; tutti repeat one');
  await machine.until('the tone is queued', 'tutti queue | grep -q tone');
}

/** Waits until the node leads its house. */
export const leads = (machine: Machine): Promise<string> => machine.until('the node leads', LEADS);

/** Waits until the node shows what it should. While it is being started, it shows nothing. */
export async function shows(machine: Machine, what: string, isSo: (state: State) => boolean): Promise<State> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await machine.call('GET', '/state').catch(() => null);
    if (answer?.status === 200 && isSo(answer.json)) return answer.json;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}: ${JSON.stringify(answer?.json)}`);
    await wait(50);
  }
}

/** Waits until the house is `status`: playing, paused or stopped. */
export const transportIs = (machine: Machine, status: string): Promise<State> =>
  shows(machine, `it is ${status}`, ({ transport }) => transport.status === status);

/** Waits until the machine's card is `state`. */
export const outputIs = (machine: Machine, state: string): Promise<State> =>
  shows(machine, `its output is ${state}`, ({ nodes }) => nodes[0]?.output.state === state);
