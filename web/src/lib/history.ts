// Columns over time: one request for all charts of a page, then only what is new.
import { request } from './api';
import { useLoad, type Loaded } from './load';
import { historyStep, rangeEnds, type TimeRange } from './range';

export type Column = (number | null)[];
export type Labels = Record<string, string>;

export interface Series { labels: Labels; min?: Column; avg?: Column; max?: Column; count?: Column }
export interface SeriesResult { series: Series[]; warnings?: string[] }
export interface ErrorResult { errorType: string; error: string }
export type Result = SeriesResult | ErrorResult;

export interface History {
  step: number;
  start: number;
  end: number;
  t: number[];
  results: Record<string, Result>;
}

/** One query: PromQL by its id. */
export type Queries = Record<string, string>;

export const isError = (result: Result): result is ErrorResult => 'error' in result;

/** Steps that are asked for again at each tick: the newest one was not over. */
const OVERLAP_STEPS = 2;
const COLUMNS = ['min', 'avg', 'max'] as const;

/** A window for rate() holds two samples of a source that sends each minute, even when one is late. */
const RATE_WINDOW_MIN_S = 150;
export const rateWindow = (range: TimeRange): string => `${Math.max(RATE_WINDOW_MIN_S, historyStep(range))}s`;

const keyOf = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Cut columns of old times, put new ones over and behind them. Pure; both have the same step. */
export function mergeHistory(before: History, newer: History, start: number): History {
  const firstNew = newer.t[0] ?? Infinity;
  const kept = before.t.map((time, index) => ({ time, index })).filter(({ time }) => time >= start && time < firstNew);
  const t = [...kept.map(({ time }) => time), ...newer.t];
  const mergeColumn = (old: Column | undefined, next: Column | undefined): Column => [
    ...kept.map(({ index }) => old?.[index] ?? null),
    ...newer.t.map((_, index) => next?.[index] ?? null),
  ];
  const results: Record<string, Result> = {};
  for (const [id, result] of Object.entries(newer.results)) {
    const old = before.results[id];
    if (isError(result) || !old || isError(old)) {
      results[id] = result;
      continue;
    }
    const byKey = new Map(old.series.map((series) => [keyOf(series.labels), series]));
    const nextByKey = new Map(result.series.map((series) => [keyOf(series.labels), series]));
    const keys = [...byKey.keys(), ...[...nextByKey.keys()].filter((key) => !byKey.has(key))];
    const series = keys.map((key): Series => {
      const [first, second] = [byKey.get(key), nextByKey.get(key)];
      const merged: Series = { labels: (second ?? first)?.labels ?? {} };
      for (const column of COLUMNS) merged[column] = mergeColumn(first?.[column], second?.[column]);
      return merged;
    });
    results[id] = { ...result, series: series.filter((one) => one.avg?.some((value) => value !== null)) };
  }
  return { ...newer, start: t[0] ?? newer.start, t, results };
}

function ask(queries: Queries, body: object, signal: AbortSignal): Promise<History> {
  return request<History>('api/v1/history', {
    body: { ...body, columns: COLUMNS, queries: Object.entries(queries).map(([id, query]) => ({ id, query })) },
    signal, isReading: true,
  });
}

async function load(queries: Queries, range: TimeRange, signal: AbortSignal, before: History | null): Promise<History> {
  const step = historyStep(range);
  const [start, end] = rangeEnds(range, Date.now() / 1000);
  const last = before?.t.at(-1);
  if (range.kind === 'between' || !before || last === undefined || before.step !== step || last < start)
    return ask(queries, { start, end, step }, signal);
  const newer = await ask(queries, { start: last - OVERLAP_STEPS * step, end, step }, signal);
  return mergeHistory(before, newer, start);
}

/** The history of all queries of a page; null instead of queries asks nothing. */
export function useHistory(queries: Queries | null, range: TimeRange): Loaded<History> {
  const key = queries && Object.keys(queries).length > 0 ? JSON.stringify([queries, range]) : null;
  return useLoad<History>(key, (signal, before) => load(queries ?? {}, range, signal, before));
}

/** Text as a PromQL string. */
export const quote = (text: string): string => JSON.stringify(text);
