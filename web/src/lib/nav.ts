// Where the user is: the route of the address bar as a cell, links, and changes of the query.
import { cell } from './cell';
import { formatHash, parseHash, withParams, type Params, type Route } from './route';

export const route = cell<Route>(parseHash(location.hash));

function follow(hash: string): void {
  const next = parseHash(hash);
  if (formatHash(next) !== formatHash(route.value)) route.set(next);
}

addEventListener('hashchange', () => follow(location.hash));

/** Go to an address. The route is there at once: the browser tells of a new address only later. */
function enter(hash: string): void {
  location.hash = hash;
  follow(hash);
}

/** What a link to another page takes along: the time range and how it is shown. */
const KEPT = ['range', 'from', 'to', 'lang', 'theme', 'utc'];

export function href(page: string, arg = '', params: Params = {}): string {
  const kept = new URLSearchParams();
  for (const name of KEPT) {
    const value = route.value.query.get(name);
    if (value !== null) kept.set(name, value);
  }
  return formatHash({ page, arg, query: withParams(kept, params) });
}

export function go(page: string, arg = '', params: Params = {}): void {
  enter(href(page, arg, params));
}

export const resetZoom = (): void => setParams({ from: null, to: null });

/** Change parameters of this page. `replace` keeps the back button free of every key press. */
export function setParams(changes: Params, how: 'push' | 'replace' = 'push'): void {
  const hash = formatHash({ ...route.value, query: withParams(route.value.query, changes) });
  if (hash === formatHash(route.value)) return;
  if (how === 'push') {
    enter(hash);
  } else {
    history.replaceState(history.state, '', hash);
    follow(hash);
  }
}
