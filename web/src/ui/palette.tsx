// Search: pages, services, metrics, hosts and errors by name; the server does the looking.
import { useEffect, useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { shell } from '../i18n/shell';
import { apiPath, request } from '../lib/api';
import { useCell } from '../lib/cell';
import { passes } from '../lib/filter';
import { arrowStep } from '../lib/keys';
import { href } from '../lib/nav';
import type { Page } from '../lib/page';
import { isAdmin } from '../lib/session';
import type { Status } from '../lib/status';
import { Dialog } from './dialog';
import { Icon, type IconName } from './icons';
import { StatusMark } from './parts';
import { isSearchOpen } from './topbar';

interface Found {
  services: { name: string; status: Status }[];
  metrics: { name: string; type: string; help: string }[];
  hosts: { name: string }[];
  errors: { error_type: string; count: number }[];
}

interface Hit { key: string; name: string; kind: string; icon: IconName; status?: Status; href: string }

const LIMIT = 6;
const WAIT_MS = 120;

function pageHits(pages: Page[], text: string): Hit[] {
  return pages
    .filter((page) => page.group !== null && (!page.isAdminOnly || isAdmin()) && passes(`${page.title()} ${page.id}`, text))
    .map((page) => ({ key: `page ${page.id}`, name: page.title(), kind: shell('page'), icon: page.icon, href: href(page.id) }));
}

function foundHits({ services, metrics, hosts, errors }: Found): Hit[] {
  return [
    ...services.map(({ name, status }): Hit => ({ key: `service ${name}`, name, kind: common('service'), icon: 'services', status, href: href('services', name) })),
    ...hosts.map(({ name }): Hit => ({ key: `host ${name}`, name, kind: common('host'), icon: 'system', href: href('system', name) })),
    ...errors.map(({ error_type: name }): Hit => ({ key: `error ${name}`, name, kind: common('errors'), icon: 'errors', href: href('errors', '', { q: name }) })),
    ...metrics.map(({ name, type }): Hit => ({ key: `metric ${name}`, name, kind: type || shell('metric'), icon: 'explore', href: href('explore', '', { q: name }) })),
  ];
}

/** What the server finds, a moment after the last key. */
function useFound(text: string): Found | null {
  const [found, setFound] = useState<Found | null>(null);
  useEffect(() => {
    if (text.trim() === '') {
      setFound(null);
      return;
    }
    const controller = new AbortController();
    const timer = setTimeout(() => {
      const path = apiPath('v1/search', { q: text.trim().slice(0, 64), limit: LIMIT });
      request<Found>(path, { signal: controller.signal }).then(setFound, () => {}); // pages are found without the server
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text]);
  return found;
}

function Search({ pages, onClose }: { pages: Page[]; onClose: () => void }) {
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const found = useFound(text);

  const hits = [...(found && text.trim() ? foundHits(found) : []), ...pageHits(pages, text)].slice(0, 14);
  const current = Math.min(index, hits.length - 1);
  const go = (hit: Hit | undefined): void => {
    if (!hit) return;
    location.hash = hit.href;
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = arrowStep(event, 'y');
    if (move !== 0 && hits.length > 0) {
      event.preventDefault();
      setIndex((current + move + hits.length) % hits.length);
    }
    if (event.key === 'Enter') go(hits[current]);
  };
  return (
    <>
      <div class="palette-input">
        <Icon name="search" />
        <input
          value={text} placeholder={shell('search')} role="combobox" aria-expanded={hits.length > 0} aria-controls="palette-list"
          aria-label={shell('search')} aria-activedescendant={hits.length > 0 ? `palette-${current}` : undefined} autocomplete="off" spellcheck={false}
          onInput={(event) => { setText(event.currentTarget.value); setIndex(0); }} onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <ul role="listbox" id="palette-list" aria-label={shell('search')}>
        {hits.map((hit, number) => (
          <li key={hit.key} role="option" id={`palette-${number}`} aria-selected={number === current} onPointerDown={(event) => { event.preventDefault(); go(hit); }}>
            {hit.status ? <StatusMark status={hit.status} size={16} /> : <Icon name={hit.icon} />}
            <span>{hit.name}</span>
            <small>{hit.kind}</small>
          </li>
        ))}
      </ul>
      {hits.length === 0 && <p class="palette-none" role="status">{shell('noHit')}</p>}
    </>
  );
}

export function Palette({ pages }: { pages: Page[] }) {
  const isOpen = useCell(isSearchOpen);
  const close = (): void => isSearchOpen.set(false);
  return (
    <Dialog isOpen={isOpen} onClose={close} title={shell('search')} isBare class="palette">
      <Search pages={pages} onClose={close} />
    </Dialog>
  );
}
