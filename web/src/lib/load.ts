// Data for components: asked for when it is needed, again at each tick, and kept while a newer answer is
// on its way.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, request } from './api';
import { useCell } from './cell';
import { changes, tick } from './live';

export interface Loaded<T> {
  /** The newest answer; of the address before while `isStale`. */
  data: T | null;
  error: ApiError | null;
  /** The data belongs to another address or range: show it dimmed. */
  isStale: boolean;
  reload: () => void;
}

const asError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(0, 'client', String(error));

/**
 * Load with a function of your own.
 *
 * @param key   what is asked for: another key drops what is on its way and asks anew; null asks nothing
 * @param load  gets the answer before this one, when it is of the same key: to ask for what is new only
 * @param isFollowing  ask again at each tick
 */
export function useLoad<T>(
  key: string | null, load: (signal: AbortSignal, before: T | null) => Promise<T>, isFollowing = true,
): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; error: ApiError | null }>({ key: null, data: null, error: null });
  const [nonce, setNonce] = useState(0);
  const now = useCell(tick);
  const changed = useCell(changes);
  const beat = isFollowing ? now : 0;
  const wish = nonce + (isFollowing ? changed : 0); // counts up; what was asked before is too old then
  const latest = useRef({ load, state });
  latest.current = { load, state };
  const running = useRef<{ key: string; wish: number; controller: AbortController } | null>(null);

  useEffect(() => {
    if (key === null) return;
    // A tick while the same request is on its way changes nothing: a slow server is not flooded.
    if (running.current?.key === key && running.current.wish === wish) return;
    running.current?.controller.abort();
    const controller = new AbortController();
    running.current = { key, wish, controller };
    const { state: before, load: start } = latest.current;
    start(controller.signal, before.key === key ? before.data : null)
      .then((data) => {
        if (!controller.signal.aborted) setState({ key, data, error: null });
      }, (error: unknown) => {
        if (controller.signal.aborted) return;
        const { state: old } = latest.current;
        setState({ key, data: old.key === key ? old.data : null, error: asError(error) });
      })
      .finally(() => {
        if (running.current?.controller === controller) running.current = null;
      });
  }, [key, beat, wish]);
  useEffect(() => () => running.current?.controller.abort(), []);

  return {
    data: key === null ? null : state.data, error: state.key === key ? state.error : null, isStale: state.data !== null && state.key !== key,
    reload: () => setNonce((count) => count + 1),
  };
}

/** GET an address below api/, see apiPath(). null: nothing yet. */
export function useApi<T>(path: string | null, isFollowing = true): Loaded<T> {
  return useLoad<T>(path, (signal) => request<T>(path ?? '', { signal }), isFollowing);
}
