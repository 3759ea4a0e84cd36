// The time range that a page shows: "the last 6 h" or from-to, as the address holds it. Pure.

export type TimeRange =
  | { kind: 'last'; name: string; seconds: number }
  | { kind: 'between'; from: number; to: number };

/** What the menu offers, shortest first. */
export const RANGES: Record<string, number> = {
  '15m': 900, '1h': 3600, '6h': 21600, '24h': 86400, '7d': 7 * 86400, '30d': 30 * 86400,
};
export const RANGE_NAMES = Object.keys(RANGES);
const DEFAULT_RANGE = '6h';
const SECONDS_MAX = 365 * 86400;

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 7 * 86400 };

/** "90s", "6h", "30d" in seconds; null when it is no duration. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([smhdw])$/.exec(text.trim());
  return match ? Number(match[1]) * UNIT_SECONDS[match[2]] : null;
}

/** @param usual  what a page shows when the address says nothing */
export function rangeOf(query: URLSearchParams, usual = DEFAULT_RANGE): TimeRange {
  const from = Number(query.get('from') ?? NaN);
  const to = Number(query.get('to') ?? NaN);
  if (Number.isFinite(from) && Number.isFinite(to) && to > from) return { kind: 'between', from, to };
  const name = query.get('range') ?? usual;
  const seconds = RANGES[name] ?? parseDuration(name);
  if (seconds === null || seconds < 60 || seconds > SECONDS_MAX)
    return { kind: 'last', name: DEFAULT_RANGE, seconds: RANGES[DEFAULT_RANGE] };
  return { kind: 'last', name, seconds };
}

export const rangeSeconds = (range: TimeRange): number =>
  range.kind === 'last' ? range.seconds : range.to - range.from;

/** Both ends; `now` is the end of a range that goes on. */
export function rangeEnds(range: TimeRange, now: number): [number, number] {
  return range.kind === 'between' ? [range.from, range.to] : [now - range.seconds, now];
}

/** The parameters of requests about this range. */
export function rangeParams(range: TimeRange): Record<string, string> {
  if (range.kind === 'last') return { range: range.name };
  return { start: String(range.from), end: String(range.to) };
}

/** One that both sides know, near what is there: for "[" and "]". */
export function neighbour(range: TimeRange, direction: 1 | -1): string | null {
  const seconds = rangeSeconds(range);
  const found = direction > 0
    ? RANGE_NAMES.find((name) => RANGES[name] > seconds)
    : RANGE_NAMES.filter((name) => RANGES[name] < seconds).pop();
  return found ?? null;
}

const NICE_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];

/** The shortest nice step that gives at most `points` of them. */
export function stepFor(seconds: number, points: number): number {
  return NICE_STEPS.find((step) => seconds / step <= points) ?? Math.ceil(seconds / points / 86400) * 86400;
}

/** How a page asks for the range: points about the pixels that a chart has. */
const POINTS = 240;
export const historyStep = (range: TimeRange): number => stepFor(rangeSeconds(range), POINTS);

/** Times at which the columns of an answer stand. */
export const timesOf = ({ start, step, count }: { start: number; step: number; count: number }): number[] =>
  Array.from({ length: count }, (_, index) => start + index * step);

/**
 * What somebody types into "from" and "to": "2h ago", "yesterday", "14:30", "2026-11-28 14:30", Unix
 * seconds. Local time. null: not understood.
 */
export function parseTime(text: string, now: number): number | null {
  const word = text.trim().toLowerCase();
  if (word === 'now' || word === 'сейчас') return now;
  const midnight = new Date(now * 1000).setHours(0, 0, 0, 0) / 1000;
  if (word === 'today' || word === 'сегодня') return midnight;
  if (word === 'yesterday' || word === 'вчера') return new Date(midnight * 1000).setDate(new Date(midnight * 1000).getDate() - 1) / 1000;
  const back = /^-?\s*(\d+(?:\.\d+)?\s*[smhdw])(\s+ago)?$/.exec(word);
  if (back) return now - (parseDuration(back[1]) ?? 0);
  const clockTime = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(word);
  if (clockTime) {
    const [hours, minutes, seconds] = [clockTime[1], clockTime[2], clockTime[3] ?? '0'].map(Number);
    if (hours > 23 || minutes > 59 || seconds > 59) return null;
    return new Date(now * 1000).setHours(hours, minutes, seconds, 0) / 1000;
  }
  if (/^\d{9,11}(\.\d+)?$/.test(word)) return Number(word);
  if (!/^\d{4}-\d{2}-\d{2}/.test(word)) return null;
  const isoText = /^\d{4}-\d{2}-\d{2}$/.test(word) ? `${word}T00:00` : text.trim().replace(' ', 'T');
  const time = Date.parse(isoText);
  return Number.isNaN(time) ? null : time / 1000;
}
