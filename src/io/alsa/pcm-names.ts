/**
 * The names of PCMs that alsa-lib would show to a person, as `aplay -L` prints them: those of the cards, and those that its configuration
 * files define with a hint.
 */
import type { Libc } from '../libc/libc.js';
import type { AlsaLibrary, Pointer } from './alsa-library.js';

/** A name to play to. */
export interface PcmName {
  readonly name: string;
  /** On one line; empty where its definition gives none. */
  readonly description: string;
}

/** All names that take sound, in alsa-lib's order. */
export function pcmNames({ alsa, libc }: { readonly alsa: AlsaLibrary; readonly libc: Libc }): PcmName[] {
  const list: [Pointer | null] = [null];
  const hint = alsa.bind<(card: number, of: string, hints: [Pointer | null]) => number>(
    'int snd_device_name_hint(int card, const char *interface, _Out_ void **hints)',
  );
  // -1: of all cards, and of none.
  if (hint(-1, 'pcm', list) < 0 || list[0] === null) return [];
  // The text is a copy of our own to free, which koffi does by the mark "!".
  const textOf = alsa.bind<(hint: Pointer, key: string) => string | null>(
    'char *! snd_device_name_get_hint(const void *hint, const char *key)',
  );
  const names = pointersAt(libc, list[0]).flatMap((each) => {
    const name = textOf(each, 'NAME');
    // IOID is absent where a name goes both ways.
    if (name === null || textOf(each, 'IOID') === 'Input') return [];
    return [{ name, description: (textOf(each, 'DESC') ?? '').split('\n').join(', ') }];
  });
  alsa.bind<(hints: Pointer) => number>('int snd_device_name_free_hint(void *hints)')(list[0]);
  return names;
}

/** The pointers from `list` on, up to the null pointer that ends them. */
function pointersAt(libc: Libc, list: Pointer): Pointer[] {
  const copy = libc.bind('void *memcpy(void *to, void *from, size_t bytes)');
  const cell = libc.longBytes === 8 ? new BigUint64Array(1) : new Uint32Array(1);
  const found: Pointer[] = [];
  for (let i = 0; ; i++) {
    copy(cell, list + BigInt(i * cell.byteLength), cell.byteLength);
    if (Number(cell[0]) === 0) return found;
    found.push(BigInt(cell[0]!));
  }
}
