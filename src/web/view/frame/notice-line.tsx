/** The one notice that is shown at a time, above the foot of the page: nothing is stacked, and nothing has to be clicked away. */
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';

/** The notice, while there is one. */
export function NoticeLine() {
  const app = useApp();
  const words = useWords();
  const notice = app.notices.shown.value;
  if (notice === null) return null;
  const { text, isAlert, action } = notice;
  return (
    <div class={isAlert ? 'notice notice-alert' : 'notice'}>
      <p>{text}</p>
      {action !== null && (
        <button
          type="button"
          class="button"
          onClick={() => {
            app.notices.dismiss();
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" class="round" aria-label={words.dismiss} onClick={() => app.notices.dismiss()}>
        <Icon name="close" size={18} />
      </button>
    </div>
  );
}
