/** The reader's own choices. What concerns the house is in its configuration. */

import { THEMES } from '../../app/preferences.js';
import { OFFERED } from '../../text/languages.js';
import { useApp, useWords } from '../context.js';

/** A popover that the button at the head opens. */
export function MainMenu() {
  const app = useApp();
  const words = useWords();
  const { theme, language, keys, token } = app.preferences;
  const isTokenUsed = app.store.state.value?.node.access === 'token';
  return (
    <div id="menu" popover="auto" class="main-menu" role="dialog" aria-label={words.menu}>
      <fieldset class="choices">
        <legend>{words.theme}</legend>
        {THEMES.map((one) => (
          <label key={one} class="choice">
            <input
              type="radio"
              name="theme"
              checked={theme.value === one}
              onChange={() => {
                theme.value = one;
              }}
            />
            {words.themes[one]}
          </label>
        ))}
      </fieldset>
      <fieldset class="choices">
        <legend>{words.language}</legend>
        {OFFERED.map(([one, name]) => (
          <label key={one} class="choice" lang={one}>
            <input
              type="radio"
              name="language"
              checked={language.value === one}
              onChange={() => app.preferences.choose(one)}
            />
            {name}
          </label>
        ))}
      </fieldset>
      {(isTokenUsed || token.value !== null) && (
        <fieldset class="choices">
          <legend>{words.tokenLabel}</legend>
          <button
            type="button"
            class="button"
            onClick={() => {
              app.asksForToken.value = true;
            }}
          >
            {words.tokenTitle}
          </button>
          {token.value !== null && (
            <button
              type="button"
              class="button"
              onClick={() => {
                token.value = null;
              }}
            >
              {words.tokenForget}
            </button>
          )}
        </fieldset>
      )}
      <fieldset class="choices">
        <legend>{words.keysTitle}</legend>
        <label class="choice">
          <input
            type="checkbox"
            checked={keys.value}
            onChange={(event) => {
              keys.value = event.currentTarget.checked;
            }}
          />
          {words.keysOn}
        </label>
        <dl class="keys">
          {words.keys.map(([key, what]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </fieldset>
    </div>
  );
}
