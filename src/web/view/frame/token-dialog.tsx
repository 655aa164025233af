/** The token of a node that asks for one. It is kept in this browser, and sent with changes alone. */
import { useState } from 'preact/hooks';
import { useApp, useWords } from '../context.js';
import { Dialog } from '../parts/dialog.js';

/** The field, while it is asked for. */
export function TokenDialog() {
  const app = useApp();
  const words = useWords();
  const [token, setToken] = useState('');
  if (!app.asksForToken.value) return null;
  const close = () => {
    app.asksForToken.value = false;
    setToken('');
  };
  const save = (event: Event) => {
    event.preventDefault();
    if (token.trim() !== '') app.preferences.token.value = token.trim();
    close();
  };
  return (
    <Dialog title={words.tokenTitle} closed={close}>
      <form onSubmit={save} autocomplete="off">
        <p>{words.tokenWhy}</p>
        <label class="labelled">
          {words.tokenLabel}
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={close}>
            {words.cancel}
          </button>
          <button type="submit" class="button button-main">
            {words.tokenSave}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
