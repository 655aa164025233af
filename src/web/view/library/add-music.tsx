/** Choosing files, for those who do not drag: songs, or a whole folder. */
import { useRef } from 'preact/hooks';
import { useApp, useWords } from '../context.js';
import { Icon } from '../parts/icon.js';
import { useUploads } from './use-uploads.js';

/** Both buttons. Chosen once more, the same file is taken once more. */
export function AddMusic() {
  const app = useApp();
  const uploads = useUploads();
  const words = useWords();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    const chosen = [...(input.files ?? [])];
    input.value = '';
    if (app.whyNot.value !== null) return app.explain();
    // Of a folder, pictures and lists that lie beside the songs are not meant.
    uploads.add(input.webkitdirectory ? chosen.filter(({ name }) => /\.wav$/i.test(name)) : chosen);
  };
  return (
    <div class="add-music">
      <button type="button" class="button" onClick={() => files.current?.click()}>
        <Icon name="upload" size={20} />
        {words.upload}
      </button>
      <button type="button" class="button folder-button" onClick={() => folder.current?.click()}>
        {words.uploadFolder}
      </button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        data-pick="files"
        aria-label={words.upload}
        onChange={(event) => take(event.currentTarget)}
      />
      <input
        ref={(input) => {
          folder.current = input;
          // A property of browsers alone, which the types of JSX do not have.
          if (input !== null) input.webkitdirectory = true;
        }}
        type="file"
        multiple
        hidden
        data-pick="folder"
        aria-label={words.uploadFolder}
        onChange={(event) => take(event.currentTarget)}
      />
    </div>
  );
}
