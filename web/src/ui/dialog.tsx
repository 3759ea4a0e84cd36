// The native dialog, opened and closed by a property.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { common } from '../i18n/common';
import { Icon } from './icons';

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  /** Its name; shown above the content unless `isBare`. */
  title: string;
  children: ComponentChildren;
  isBare?: boolean;
  class?: string;
}

export function Dialog({ isOpen, onClose, title, children, isBare = false, class: extra = '' }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  // With the render, not after the paint: the next key is for the dialog.
  useLayoutEffect(() => {
    const dialog = element.current;
    if (isOpen && dialog && !dialog.open) dialog.showModal();
    if (!isOpen && dialog?.open) dialog.close();
  }, [isOpen]);
  const closeOutside = (event: MouseEvent): void => {
    if (event.target === element.current) onClose();
  };
  return (
    <dialog ref={element} class={extra} aria-label={title} onClose={onClose} onClick={closeOutside}>
      {isOpen && (
        <div class="dialog-body">
          {!isBare && (
            <header class="dialog-head">
              <h2>{title}</h2>
              <button type="button" class="icon-button" aria-label={common('close')} onClick={onClose}><Icon name="x" /></button>
            </header>
          )}
          {children}
        </div>
      )}
    </dialog>
  );
}
