/** The whole window takes files. Over the queue they are queued as well; nothing that is dropped plays, moves or removes anything. */
import { useEffect, useState } from 'preact/hooks';
import { filesOf } from '../../world/dropped-files.js';
import { useApp, useWords } from '../context.js';
import { useUploads } from '../library/use-uploads.js';

type Target = 'library' | 'queue';

const targetOf = (event: DragEvent): Target =>
  (event.target as Element | null)?.closest('.region-queue') ? 'queue' : 'library';

/** Says where what is held over the page would go. */
export function DropZone() {
  const app = useApp();
  const uploads = useUploads();
  const words = useWords();
  const [over, setOver] = useState<Target | null>(null);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const drag = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.dataTransfer!.dropEffect = 'copy';
      setOver(targetOf(event));
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(null);
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(null);
      if (app.whyNot.value !== null) return app.explain();
      const alsoQueue = targetOf(event) === 'queue';
      void filesOf(event.dataTransfer!).then((files) => uploads.add(files, alsoQueue));
      if (!alsoQueue) location.hash = '#/library';
    };
    document.addEventListener('dragover', drag);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', drag);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
    };
  }, [app, uploads]);
  if (over === null) return null;
  return <p class={`drop drop-${over}`}>{over === 'queue' ? words.dropQueue : words.dropLibrary}</p>;
}
