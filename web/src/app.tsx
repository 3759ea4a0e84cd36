// The frame: sidebar, top bar, the page of the route, search and help.
import { useEffect, useMemo } from 'preact/hooks';
import { shell } from './i18n/shell';
import { useCell } from './lib/cell';
import { showUtc } from './lib/fmt';
import { listenToKeys, type Key } from './lib/keys';
import { lang } from './lib/lang';
import { isLive } from './lib/live';
import { go, href, resetZoom, route, setParams } from './lib/nav';
import type { Page } from './lib/page';
import { neighbour, rangeOf } from './lib/range';
import { access } from './lib/session';
import { toggleTheme } from './lib/theme';
import { PAGES } from './pages';
import { Help } from './ui/help';
import { Palette } from './ui/palette';
import { Sidebar } from './ui/sidebar';
import { Empty, LostBanner } from './ui/states';
import { isHelpOpen, isSearchOpen, Topbar } from './ui/topbar';

function changeRange(direction: 1 | -1): void {
  const name = neighbour(rangeOf(route.value.query, PAGES.find(({ id }) => id === route.value.page)?.usualRange), direction);
  if (name) setParams({ range: name, from: null, to: null });
}

function keysOf(pages: Page[]): Key[] {
  const openSearch = (): void => isSearchOpen.set(true);
  return [
    { keys: '/', run: openSearch },
    { keys: ' ', run: () => isLive.set(!isLive.value) },
    { keys: '[', run: () => changeRange(-1) },
    { keys: ']', run: () => changeRange(1) },
    { keys: 'z', run: resetZoom },
    { keys: 't', run: toggleTheme },
    { keys: '?', run: () => isHelpOpen.set(true) },
    ...pages.filter(({ key }) => key).map((page): Key => ({ keys: `g ${page.key}`, run: () => go(page.id) })),
  ];
}

const missingPage = (id: string): Page => ({
  id, title: () => id, icon: 'help', group: null, isTimeless: true,
  View: () => <Empty action={<a class="button" href={href('overview')}>{shell('toOverview')}</a>}>{shell('notFound', { page: id })}</Empty>,
});

function skipToMain(event: Event): void {
  event.preventDefault(); // the hash is the route
  document.getElementById('main')?.focus();
}

export function App() {
  const { page: id, arg, query } = useCell(route);
  useCell(lang);
  const isKnown = useCell(access) !== null;
  const page = useMemo(() => PAGES.find((one) => one.id === id) ?? missingPage(id), [id]);
  showUtc(query.has('utc'));

  useEffect(() => listenToKeys(keysOf(PAGES), () => isSearchOpen.set(!isSearchOpen.value)), []);
  useEffect(() => {
    document.title = `${arg || page.title()} · Sonde`;
  }, [page, arg, lang.value]);
  useEffect(() => scrollTo(0, 0), [id, arg]);

  if (!isKnown) return null;
  const { View } = page;
  if (page.isBare) return <View key={id} arg={arg} />;
  return (
    <>
      <a class="skip-link" href="#main" onClick={skipToMain}>{shell('skip')}</a>
      <Sidebar pages={PAGES} current={id} />
      <div class="column">
        <Topbar page={page} arg={arg} />
        <main id="main" tabIndex={-1}>
          <LostBanner />
          <View key={`${id}/${arg}`} arg={arg} />
        </main>
      </div>
      <Palette pages={PAGES} />
      <Help pages={PAGES} />
    </>
  );
}
