/** What tests that play through the test card share: a scratch folder, cards by name, and a clock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { CardControl, type CardInit, useCards, writeCardConfig } from './card.js';

/** Cards that this process can open by their names. */
export interface Bench {
  /** Where the captures are: `captureOf('kitchen')`. */
  captureOf(card: string): string;
  controlOf(card: string): CardControl;
}

/** Defines `cards` for this process; each writes a capture and has a control file. Ends with the test `t`. */
export function setUpCards(
  t: Test,
  components: { readonly library: string },
  init: { readonly cards: Readonly<Record<string, CardInit>>; readonly extra?: string },
): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-cards-'));
  const captureOf = (card: string) => join(folder, `${card}.capture`);
  const controlPath = (card: string) => join(folder, `${card}.control`);
  const cards = Object.fromEntries(
    Object.entries(init.cards).map(([name, card]) => [
      name,
      { capture: captureOf(name), control: controlPath(name), ...card },
    ]),
  );
  const controls: CardControl[] = [];
  useCards(writeCardConfig(components, { ...init, path: join(folder, 'asound.conf'), cards }));
  t.teardown(() => {
    for (const control of controls) control.close();
    rmSync(folder, { recursive: true });
  });
  return {
    captureOf,
    controlOf: (card) => {
      const control = new CardControl(controlPath(card));
      controls.push(control);
      return control;
    },
  };
}
