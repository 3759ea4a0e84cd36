// The keyboard: keys and what they do.

export interface Key {
  /** As KeyboardEvent.key has it; "g o" is two keys one after the other. */
  keys: string;
  run: () => void;
}

/** 1 or -1 for the arrow key that goes on or back along an axis; 0 for other keys. */
export const arrowStep = ({ key }: KeyboardEvent, axis: 'x' | 'y'): number =>
  (key === (axis === 'x' ? 'ArrowRight' : 'ArrowDown') ? 1 : key === (axis === 'x' ? 'ArrowLeft' : 'ArrowUp') ? -1 : 0);

const SECOND_KEY_WITHIN_MS = 1200;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

/** Space and Enter belong to what has the focus. */
const hasOwnKeys = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button, a, [role=tab], [role=option]') !== null;

/** Listen; single keys are ignored while typing and in dialogs. Returns how to stop. */
export function listenToKeys(keys: Key[], openSearch: () => void): () => void {
  let first = '';
  let firstAt = 0;
  const onKey = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openSearch();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
    if (event.key === ' ' && hasOwnKeys(event.target)) return;
    const pressed = first && Date.now() - firstAt < SECOND_KEY_WITHIN_MS ? `${first} ${event.key}` : event.key;
    first = '';
    const found = keys.find((key) => key.keys === pressed);
    if (found) {
      event.preventDefault();
      found.run();
    } else if (keys.some((key) => key.keys.startsWith(event.key + ' '))) {
      first = event.key;
      firstAt = Date.now();
    }
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}
