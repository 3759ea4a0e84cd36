// The list of pages on the left; a drawer on narrow screens.
import { useEffect } from 'preact/hooks';
import { shell } from '../i18n/shell';
import { apiPath, request } from '../lib/api';
import { cell, useCell } from '../lib/cell';
import { href } from '../lib/nav';
import type { Group, Page } from '../lib/page';
import { isAdmin, user, access } from '../lib/session';
import { Icon, Logo } from './icons';
import { LanguageButton } from './language';

export const isDrawerOpen = cell(false);

const GROUPS: Group[] = ['main', 'investigate', 'resources', 'plan', 'admin'];
const titleOf = (group: Group): string | null =>
  group === 'investigate' || group === 'resources' || group === 'plan' ? shell(group) : null;

// ---- which pages have something to show ----

const presentMetrics = cell<ReadonlySet<string>>(new Set());
/** Ids of pages that say themselves whether they have data, and do. */
const presentPages = cell<ReadonlySet<string>>(new Set());
const LOOK_EVERY_MS = 60_000;

async function lookForMetrics(names: string[]): Promise<void> {
  const query = `count by (__name__) ({__name__=~"${names.join('|')}"})`;
  const answer = await request<{ result: { metric: Record<string, string> }[] }>(apiPath('v1/query', { query }));
  presentMetrics.set(new Set(answer.result.map(({ metric }) => metric.__name__)));
}

/** A page that had data stays: its question may be a dear one. */
async function askPages(pages: Page[]): Promise<void> {
  const asked = pages.filter((page) => page.hasData && !presentPages.value.has(page.id) && (!page.isAdminOnly || isAdmin()));
  const answers = await Promise.all(asked.map((page) => page.hasData?.().catch(() => false)));
  const found = asked.filter((_, index) => answers[index]).map(({ id }) => id);
  if (found.length > 0) presentPages.set(new Set([...presentPages.value, ...found]));
}

/** Whether a page has something to show: by its metric, or by its own word. */
function usePresent(pages: Page[]): (page: Page) => boolean {
  const who = useCell(user);
  useEffect(() => {
    const names = pages.flatMap(({ needsMetric }) => needsMetric ?? []);
    if (who === null) return;
    const look = (): void => {
      if (names.length > 0) void lookForMetrics(names).catch(() => {}); // the pages stay hidden until the next look
      void askPages(pages);
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [who]);
  const [metrics, asked] = [useCell(presentMetrics), useCell(presentPages)];
  return ({ id, needsMetric, hasData }) => (needsMetric === undefined || metrics.has(needsMetric)) && (hasData === undefined || asked.has(id));
}

function Entry({ page, isCurrent }: { page: Page; isCurrent: boolean }) {
  return (
    <a href={href(page.id)} aria-current={isCurrent ? 'page' : undefined} onClick={() => isDrawerOpen.set(false)}>
      <Icon name={page.icon} />
      <span>{page.title()}</span>
    </a>
  );
}

export function Sidebar({ pages, current }: { pages: Page[]; current: string }) {
  const isOpen = useCell(isDrawerOpen);
  const isPresent = usePresent(pages);
  useCell(access);
  const isShown = (page: Page): boolean =>
    (!page.isAdminOnly || isAdmin()) && (page.id === current || isPresent(page));
  return (
    <>
      <nav class={`sidebar ${isOpen ? 'open' : ''}`} aria-label={shell('navigation')}>
        <a class="brand" href={href('overview')}><Logo /><span>Sonde</span></a>
        {GROUPS.map((group) => {
          const entries = pages.filter((page) => page.group === group && isShown(page));
          return entries.length > 0 && (
            <div key={group} class={`nav-group ${group}`}>
              {titleOf(group) && <h2>{titleOf(group)}</h2>}
              {entries.map((page) => <Entry key={page.id} page={page} isCurrent={page.id === current} />)}
            </div>
          );
        })}
        <div class="nav-foot">
          <LanguageButton />
        </div>
      </nav>
      {isOpen && <div class="scrim" onClick={() => isDrawerOpen.set(false)} />}
    </>
  );
}
