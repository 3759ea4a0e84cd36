// Hash routes as text: "#/services/flux-worker?range=6h" is page, argument and query. Pure.

export interface Route {
  page: string;
  /** What follows the page, unescaped; may contain slashes. */
  arg: string;
  query: URLSearchParams;
}

const START_PAGE = 'overview';

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray %: as it stands
  }
}

export function parseHash(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const [page, ...rest] = path.split('/');
  return {
    page: unescape(page) || START_PAGE,
    arg: rest.map(unescape).join('/'),
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

export function formatHash(route: Route): string {
  const path = '#/' + encodeURIComponent(route.page) + (route.arg ? '/' + encodeURIComponent(route.arg) : '');
  const query = route.query.toString();
  return query ? `${path}?${query}` : path;
}

/** A value, several of one name, or null: remove. */
export type Params = Record<string, string | string[] | null>;

export function withParams(query: URLSearchParams, changes: Params): URLSearchParams {
  const result = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    result.delete(name);
    for (const one of value === null ? [] : [value].flat()) result.append(name, one);
  }
  return result;
}
