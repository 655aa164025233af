/** Reads what people type after a command. Each reader throws TuttiError BAD_USAGE with what would be right. */
import { TuttiError } from '../core/errors.js';

const wrong = (argument: string, found: string, right: string): TuttiError =>
  new TuttiError('BAD_USAGE', `${argument}: found ${JSON.stringify(found)}; right is ${right}.`);

/** Where to seek: a position from the start of the song, or a way from where it is. Milliseconds. */
export type SeekTarget = { readonly to: number } | { readonly by: number };

/** Longest time that makes sense to type, in seconds: no song plays for a thousand hours. */
const SECONDS_MAX = 3_600_000;

/** `83`, `1:23`, `1:02:03`, also with tenths and hundredths (`1:23.5`); with + or - from where the song is. */
export function readTime(text: string): SeekTarget {
  const right = 'a time such as 83, 1:23 or 1:02:03, or a way from here such as +10 or -1:00';
  const parts = /^([+-]?)(?:(?:(\d{1,4}):)?(\d{1,5}):)?(\d{1,7}(?:\.\d{1,3})?)$/.exec(text);
  if (parts === null) throw wrong('TIME', text, right);
  const [, sign, hours, minutes, seconds] = parts;
  // After a colon there are 60 of each: 1:75 is a slip of the finger, not 2:15.
  const isOver = (minutes !== undefined && Number(seconds) >= 60) || (hours !== undefined && Number(minutes) >= 60);
  const total = Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds);
  if (isOver || total > SECONDS_MAX) throw wrong('TIME', text, right);
  const ms = Math.round(total * 1_000);
  return sign === '' ? { to: ms } : { by: sign === '-' ? -ms : ms };
}

/** A volume, or a change of it. Whole per cents. */
export type VolumeChange = { readonly volume: number } | { readonly delta: number };

/** `40`, `+5`, `-5`; a trailing % is fine. */
export function readVolume(text: string): VolumeChange {
  const parts = /^([+-]?)(\d{1,3})%?$/.exec(text);
  const value = Number(parts?.[2]);
  if (parts === null || value > 100) {
    throw wrong('VOLUME', text, 'a whole number from 0 to 100, or a change such as +5 or -5');
  }
  if (parts[1] === '') return { volume: value };
  return { delta: parts[1] === '-' ? -value : value };
}

/** A whole number from 1 to `most`. */
export function readCount(argument: string, most: number, text: string): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw wrong(argument, text, `a whole number from 1 to ${most}`);
  return value;
}

/** One of a few words. */
export function readChoice<W extends string>(argument: string, words: readonly W[], text: string): W {
  const found = words.find((word) => word === text.toLowerCase());
  if (found === undefined) throw wrong(argument, text, `one of ${words.join(', ')}`);
  return found;
}
