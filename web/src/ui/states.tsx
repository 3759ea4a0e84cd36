// What a panel shows instead of data: loading, empty, an error; and the banner of a lost connection.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { ApiError, lostSince } from '../lib/api';
import { useCell } from '../lib/cell';
import { clock } from '../lib/fmt';
import { strings } from '../lib/lang';
import { refresh } from '../lib/live';
import type { Loaded } from '../lib/load';
import { Icon } from './icons';

const t = strings(
  { lost: 'Connection lost, trying again. Values are from {time}.', forbidden: 'You may not see this: it needs the role admin.' },
  { lost: 'Нет связи, пробуем снова. Значения на {time}.', forbidden: 'Нет доступа: нужна роль admin.' },
);

const SKELETON_AFTER_MS = 150;

/** Grey bars; a fast answer comes before they do. */
export function Skeleton() {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return <div class="skeleton" role="status" aria-busy="true" aria-label={common('loading')}>{isShown && <><i /><i /><i /></>}</div>;
}

/** One sentence, and what to do about it. */
export function Empty({ children, action }: { children: ComponentChildren; action?: ComponentChildren }) {
  return <div class="panel-state"><span>{children}</span>{action}</div>;
}

export function PanelError({ error, onRetry }: { error: ApiError | string; onRetry?: () => void }) {
  const isForbidden = error instanceof ApiError && error.status === 403;
  const message = typeof error === 'string' ? error : isForbidden ? t('forbidden') : error.message;
  return (
    <div class="panel-state" role="alert">
      <Icon name="errors" />
      <b>{common('cannotLoad')}</b>
      <span>{message}</span>
      {onRetry && !isForbidden && <button type="button" class="button" onClick={onRetry}>{common('retry')}</button>}
    </div>
  );
}

interface LoadProps<T> { loaded: Loaded<T>; children: (data: T) => ComponentChildren }
/** The data, dimmed while it is of another range; or why there is none. Old data stays when an update fails. */
export function Load<T>({ loaded, children }: LoadProps<T>) {
  if (loaded.data !== null) return <div class={`loaded ${loaded.isStale ? 'stale' : ''}`} aria-busy={loaded.isStale}>{children(loaded.data)}</div>;
  if (loaded.error) return <PanelError error={loaded.error} onRetry={loaded.reload} />;
  return <Skeleton />;
}

const TRY_EVERY_MS = 4000;
/** Above the page while the server does not answer. */
export function LostBanner() {
  const since = useCell(lostSince);
  useEffect(() => {
    if (since === null) return;
    const timer = setInterval(refresh, TRY_EVERY_MS);
    return () => clearInterval(timer);
  }, [since !== null]);
  if (since === null) return null;
  return (
    <div class="banner" role="status">
      <i class="dot" />
      <span>{t('lost', { time: clock(since) })}</span>
      <button type="button" class="link-button" onClick={refresh}>{common('retry')}</button>
    </div>
  );
}
