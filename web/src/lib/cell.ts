// A value that tells when it changes. All state that outlives one component is in cells.
import { useEffect, useState } from 'preact/hooks';

export interface Cell<T> {
  readonly value: T;
  /** Does nothing when the value is the same. */
  set(next: T): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The value, and a new render whenever it changes. */
export function useCell<T>(source: Cell<T>): T {
  const [, setCount] = useState(0);
  const rendered = source.value;
  useEffect(() => {
    const update = () => setCount((count) => count + 1);
    if (!Object.is(source.value, rendered)) update(); // changed between render and effect
    return source.subscribe(update);
  }, [source]);
  return rendered;
}
