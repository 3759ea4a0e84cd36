// Above every page: its title, search, reset of the zoom, time range, live, theme, account.
import { shell } from '../i18n/shell';
import { cell, useCell } from '../lib/cell';
import { isLive } from '../lib/live';
import { href, resetZoom, route } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf } from '../lib/range';
import { access, leave, user } from '../lib/session';
import { theme, toggleTheme } from '../lib/theme';
import { Icon } from './icons';
import { Menu, type MenuItem } from './menu';
import { isDrawerOpen } from './sidebar';
import { RangeMenu } from './range_menu';

export const isSearchOpen = cell(false);
export const isHelpOpen = cell(false);

function LiveButton() {
  const isOn = useCell(isLive);
  return (
    <button type="button" class={`button live ${isOn ? 'on' : ''}`} aria-pressed={isOn} onClick={() => isLive.set(!isOn)}>
      <i class="dot" />
      <span>{shell(isOn ? 'live' : 'paused')}</span>
    </button>
  );
}

function Account() {
  const who = useCell(user);
  const isOpen = useCell(access)?.access === 'open';
  const items: MenuItem[] = [{ label: `${shell('shortcuts')} (?)`, onClick: () => isHelpOpen.set(true) }];
  if (!isOpen) items.push({ label: shell('signOut'), onClick: () => void leave().catch(() => {}) });
  const name = isOpen ? shell('openAccess') : who?.name ?? shell('account');
  return <Menu label={`${shell('account')}: ${name}`} icon="user" items={items} />;
}

export function Topbar({ page, arg }: { page: Page; arg: string }) {
  const { query } = useCell(route);
  const isZoomed = rangeOf(query).kind === 'between';
  return (
    <header class="topbar">
      <button type="button" class="icon-button burger" aria-label={shell('menu')} onClick={() => isDrawerOpen.set(true)}><Icon name="menu" /></button>
      <h1>{arg ? <><a class="crumb" href={href(page.id)}>{page.title()}</a><i class="crumb">/</i>{arg}</> : page.title()}</h1>
      <span class="spring" />
      <button type="button" class="button search-button" aria-label={`${shell('search')} Ctrl K`} onClick={() => isSearchOpen.set(true)}>
        <Icon name="search" size={14} /><span>{shell('search')}</span>{' '}<kbd>Ctrl K</kbd>
      </button>
      {!page.isTimeless && isZoomed && (
        <button type="button" class="button zoom-button" onClick={resetZoom}><Icon name="zoom" /><span>{shell('resetZoom')}</span></button>
      )}
      {!page.isTimeless && <RangeMenu usual={page.usualRange} />}
      {!page.isTimeless && <LiveButton />}
      <button type="button" class="icon-button theme-button" aria-label={shell('theme')} onClick={toggleTheme}><Icon name={useCell(theme) === 'dark' ? 'sun' : 'moon'} /></button>
      <Account />
    </header>
  );
}
