/** A question that has to be answered before anything else: used where nothing can be undone, or something has to be typed. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface DialogInit {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly closed: () => void;
}

/** An open dialog. Closes by Esc; the focus goes back to where it was. */
export function Dialog({ title, children, closed }: DialogInit) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { activeElement } = document;
    dialog.current!.showModal();
    return () => {
      if (activeElement instanceof HTMLElement) activeElement.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" onClose={closed}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}
