/** What is on its way in: this page's files, and those of others. The row itself is the bar; what it means stands beside it in words. */
import { canBeRetried, isOver, summaryOf, type UploadRow } from '../../model/upload-list.js';
import type { Words } from '../../text/en.js';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { useUploads } from './use-uploads.js';

interface UploadListInit {
  /** Has the library show what is called so. */
  readonly find: (title: string) => void;
}

/** The list, while there is anything in it. */
export function UploadList({ find }: UploadListInit) {
  const uploads = useUploads();
  const words = useWords();
  const rows = uploads.rows.value.filter(({ stage }) => stage !== 'gone');
  const own = uploads.own.value;
  if (rows.length === 0) return null;
  const { count, ready, isOver: areAllOver, sentBytes, totalBytes } = summaryOf(own);
  const pace = areAllOver ? null : uploads.pace.value;
  const left = pace === null ? '' : words.speedLeft(words.f.bytes(pace.bytesPerS), words.f.clock(pace.leftMs + 999));
  const bytes = areAllOver
    ? words.f.bytes(totalBytes)
    : words.uploading(words.f.bytes(sentBytes), words.f.bytes(totalBytes));
  return (
    <section class="uploads" aria-labelledby="uploads-title">
      <h3 id="uploads-title">{words.uploads}</h3>
      {count > 0 && <p class="quiet uploads-summary">{words.summary(ready, count, bytes, left)}</p>}
      <ul>
        {rows.map((row) => (
          <UploadLine key={row.id} row={row} find={find} />
        ))}
      </ul>
      {count > 0 && areAllOver && (
        <div class="uploads-end">
          {ready > 0 && (
            <button type="button" class="button" onClick={() => uploads.enqueueAll()}>
              {words.addAll(ready)}
            </button>
          )}
          <button type="button" class="button" onClick={() => uploads.forget()}>
            {words.hide}
          </button>
        </div>
      )}
    </section>
  );
}

function UploadLine({ row, find }: UploadListInit & { readonly row: UploadRow }) {
  const app = useApp();
  const uploads = useUploads();
  const words = useWords();
  const { id, stage, from, sentBytes, totalBytes } = row;
  const title = titleOf(row, app.store.tracks.value.byId);
  const share = totalBytes === 0 ? 0 : Math.min(1, sentBytes / totalBytes);
  const isFailed = stage === 'failed';
  return (
    <li class={`upload upload-${stage}`}>
      <span class="upload-fill" style={{ transform: `scaleX(${isOver(row) ? (isFailed ? 0 : 1) : share})` }} />
      <span class="upload-text">
        <span class="row-title">
          <bdi dir="auto">{title}</bdi>
        </span>
        <span class={isFailed ? 'row-beside bad' : 'row-beside'}>
          {from !== 'here' && <strong>{from === 'inbox' ? words.byInbox : words.byOther}</strong>}
          {stage === 'exists' ? (
            <button type="button" class="link" onClick={() => find(title)}>
              {words.existsAs(title)}
            </button>
          ) : (
            <span>{stageText(words, row)}</span>
          )}
        </span>
      </span>
      {from === 'here' && !isOver(row) && (
        <button
          type="button"
          class="round small"
          aria-label={words.cancelUpload(title)}
          onClick={() => uploads.cancel(id)}
        >
          <Icon name="close" size={20} />
        </button>
      )}
      {from === 'here' && canBeRetried(row) && (
        <button type="button" class="button" aria-label={words.retryUpload(title)} onClick={() => uploads.retry(id)}>
          {words.again}
        </button>
      )}
      {stage === 'done' && <Icon name="check" size={20} />}
    </li>
  );
}

/** Once the node has read its tags a song has its own title. */
function titleOf({ trackId, title }: UploadRow, tracks: ReadonlyMap<string, { readonly title: string }>): string {
  return (trackId === null ? undefined : tracks.get(trackId)?.title) ?? title;
}

function stageText(words: Words, row: UploadRow): string {
  const { stage, held, needed, sentBytes, totalBytes, code } = row;
  switch (stage) {
    case 'waiting':
      return words.waiting;
    case 'sending':
      return words.uploading(words.f.bytes(sentBytes), totalBytes === 0 ? words.total : words.f.bytes(totalBytes));
    case 'checking':
      return needed > 0 ? words.onCards(held, needed) : words.checking;
    case 'done':
      return words.ready;
    case 'exists':
    case 'gone':
      return '';
    case 'failed': {
      const { what, todo } = words.refusal(code ?? 'NO_ANSWER');
      return `${words.failed}. ${what} ${todo}`;
    }
  }
}
