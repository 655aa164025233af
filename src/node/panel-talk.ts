/**
 * PanelTalk: what the node and its front panel say to each other, one line of text a time.
 *
 * The panel says `PLAY`, `PAUSE`, `SKIP`, `VOL +5`, `VOL -5` or `STATUS`. The node says what there is to see, on change, and all of it when
 * the panel comes or asks: `T` the title, `S` the state with position and length, `N` this node with its part and who is there, `E` a code of the
 * error catalogue: a press that was refused, or NO_QUORUM when the others are out of reach. Anything else that the panel says gets
 * `E BAD_LINE`, and nothing comes of it: a serial line brings noise, the prompt of a bootloader, or its own echo. Echoes are why only
 * so many are answered.
 */
import type { ErrorCode } from '../core/errors.js';
import type { LocalTime } from '../core/units.js';
import type { Panel } from '../ports/controls.js';
import type { Time, Timer } from '../ports/time.js';
import type { House } from './house.js';
import type { Wish } from './presses.js';

/** How often the display is brought up to date by itself: seconds are shown. Milliseconds. */
const SHOW_EVERY_MS = 500;
/** What changed is shown so soon, all of it at once. Milliseconds. */
const SHOW_AFTER_MS = 20;
/** A line that is none is answered no sooner after the last one. Milliseconds. */
const BAD_LINE_EVERY_MS = 100;
/** The most that one line turns the volume by, per cent. */
const VOLUME_STEP_MAX = 100;

/** Who is shown, and who is told. */
export interface PanelTalkComponents {
  readonly time: Time;
  readonly panel: Panel;
  readonly house: Pick<House, 'init' | 'node' | 'subscribe'>;
  readonly pressed: (wish: Wish) => void;
}

/** The conversation, from `start` to `stop` (idempotent). */
export class PanelTalk {
  readonly #components: PanelTalkComponents;
  /** What the panel shows, by the first letter of its line. */
  readonly #shown = new Map<string, string>();
  #timers: Timer[] = [];
  #soon: Timer | null = null;
  #unsubscribe: () => void = () => {};
  #badLineAt: LocalTime | null = null;

  constructor(components: PanelTalkComponents) {
    this.#components = components;
  }

  /** @throws TuttiError NOT_FOUND where panels cannot be spoken to at all on this machine */
  async start(): Promise<void> {
    const { time, panel, house } = this.#components;
    await panel.start({ line: (text) => this.#heard(text), connected: () => this.#showAll() });
    this.#timers = [time.every('panel.show', SHOW_EVERY_MS, () => this.#show())];
    this.#unsubscribe = house.subscribe(() => {
      this.#soon ??= time.after('panel.soon', SHOW_AFTER_MS, () => {
        this.#soon = null;
        this.#show();
      });
    });
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    for (const timer of this.#timers) timer.cancel();
    this.#soon?.cancel();
    this.#soon = null;
    await this.#components.panel.stop();
  }

  /** A press was refused. */
  refused(code: ErrorCode): void {
    this.#components.panel.send(`E ${code}`);
  }

  #heard(text: string): void {
    if (text === 'STATUS') {
      this.#showAll();
      return;
    }
    const wish = wishOf(text);
    if (wish !== null) this.#components.pressed(wish);
    else this.#answerBadLine();
  }

  #answerBadLine(): void {
    const { time, panel } = this.#components;
    const now = time.now();
    if (this.#badLineAt !== null && Number(now - this.#badLineAt) / 1e6 < BAD_LINE_EVERY_MS) return;
    this.#badLineAt = now;
    panel.send('E BAD_LINE');
  }

  #showAll(): void {
    this.#shown.clear();
    this.#show();
  }

  #show(): void {
    const { panel, house } = this.#components;
    if (panel.trouble() !== null) return;
    for (const line of displayOf(house)) {
      const letter = line[0]!;
      if (this.#shown.get(letter) === line) continue;
      this.#shown.set(letter, line);
      // An error that is over has no line: what is shown of the node says so.
      if (line !== NO_ERROR) panel.send(line);
    }
  }
}

const NO_ERROR = 'E';

/** What somebody at the panel wants; null where the line says nothing that is known. */
function wishOf(text: string): Wish | null {
  if (text === 'PLAY') return 'play';
  if (text === 'PAUSE') return 'pause';
  if (text === 'SKIP') return 'skip';
  const volume = Number(/^VOL ([+-]\d{1,3})$/.exec(text)?.[1] ?? 0);
  return volume === 0 || Math.abs(volume) > VOLUME_STEP_MAX ? null : { volume };
}

/** The whole display: a line for each letter. */
function displayOf({ init, node }: PanelTalkComponents['house']): string[] {
  if (node === null) return ['T ', 'S stopped 0:00 0:00', `N ${init.name} waiting 0/0`, 'E NOT_A_MEMBER'];
  const { transport } = node.cluster.view(node.now());
  const { role, quorum, members } = node.logStatus();
  const voters = members.filter(({ voter }) => voter);
  const here = voters.filter(({ online, trusted }) => online && trusted).length;
  return [
    `T ${transport.title ?? ''}`,
    `S ${transport.status} ${clockText(transport.positionMs)} ${clockText(transport.durationMs)}`,
    `N ${node.init.name} ${role} ${here}/${voters.length}`,
    quorum ? NO_ERROR : 'E NO_QUORUM',
  ];
}

/** Minutes and seconds: 3:10. */
function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
