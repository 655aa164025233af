/** The reader's choices, kept in this browser: colours, language, whether single keys do something, and the token. */
import { effect, type Signal, signal } from '@preact/signals';
import { type Language, languageFor } from '../text/languages.js';
import { recall, remember } from '../world/storage.js';

/** Which colours. */
export const THEMES = ['system', 'light', 'dark'] as const;
/** One of them. */
export type Theme = (typeof THEMES)[number];

/** The choices, in signals; what is changed is kept. */
export class Preferences {
  readonly theme: Signal<Theme> = signal(THEMES.find((theme) => theme === recall('theme')) ?? 'system');
  readonly language: Signal<Language> = signal(languageFor([recall('language') ?? '', ...navigator.languages]));
  readonly keys: Signal<boolean> = signal(recall('keys') !== 'off');
  readonly token: Signal<string | null> = signal(recall('token'));

  /** Applies and keeps them from now on. */
  start(): void {
    effect(() => {
      const { value } = this.theme;
      document.documentElement.dataset.theme = value;
      remember('theme', value === 'system' ? null : value);
    });
    effect(() => remember('keys', this.keys.value ? null : 'off'));
    effect(() => remember('token', this.token.value));
  }

  choose(language: Language): void {
    remember('language', language);
    this.language.value = language;
  }
}
