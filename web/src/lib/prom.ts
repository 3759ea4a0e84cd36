// The Prometheus API as Explore uses it.
import { request } from './api';
import type { Column, Labels } from './history';
import { timesOf } from './range';

interface Matrix { resultType: 'matrix'; result: { metric: Labels; values: [number, string][] }[] }
interface Vector { resultType: 'vector'; result: { metric: Labels; value: [number, string] }[] }
interface Scalar { resultType: 'scalar' | 'string'; result: [number, string] }
type InstantAnswer = Vector | Scalar | Matrix;

export interface Figures { seriesCount: number; milliseconds: number; bytes: number }
export interface RangeAnswer { times: number[]; series: { labels: Labels; values: Column }[]; figures: Figures; step: number }
export interface InstantAnswerRows { rows: { labels: Labels; value: number; text: string }[]; figures: Figures }

/** "+Inf", "-Inf" and "NaN" are written as Prometheus does. */
export function parseValue(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}

/** Values of a matrix on a grid of times; a step without a value is null. Pure. */
export function onGrid(values: [number, string][], start: number, step: number, count: number): Column {
  const column: Column = new Array<number | null>(count).fill(null);
  for (const [time, text] of values) {
    const index = Math.round((time - start) / step);
    const value = parseValue(text);
    if (index >= 0 && index < count) column[index] = Number.isFinite(value) ? value : null; // a chart has no place for them
  }
  return column;
}

async function measured<T>(path: string, form: URLSearchParams, signal: AbortSignal): Promise<{ data: T; milliseconds: number; bytes: number }> {
  const began = performance.now();
  let bytes = 0;
  const data = await request<T>(path, { form, signal, isReading: true, onSize: (size) => { bytes = size; } });
  return { data, milliseconds: performance.now() - began, bytes };
}

export async function queryRange(query: string, ends: [number, number], step: number, signal: AbortSignal): Promise<RangeAnswer> {
  const start = Math.floor(ends[0] / step) * step;
  const end = Math.floor(ends[1] / step) * step;
  const form = new URLSearchParams({ query, start: String(start), end: String(end), step: String(step) });
  const { data, milliseconds, bytes } = await measured<Matrix>('api/v1/query_range', form, signal);
  const count = Math.floor((end - start) / step) + 1;
  return {
    times: timesOf({ start, step, count }), step,
    series: data.result.map(({ metric, values }) => ({ labels: metric, values: onGrid(values, start, step, count) })),
    figures: { seriesCount: data.result.length, milliseconds, bytes },
  };
}

export async function queryInstant(query: string, time: number, signal: AbortSignal): Promise<InstantAnswerRows> {
  const form = new URLSearchParams({ query, time: String(time) });
  const { data, milliseconds, bytes } = await measured<InstantAnswer>('api/v1/query', form, signal);
  const rows = (): InstantAnswerRows['rows'] => {
    if (data.resultType === 'vector') return data.result.map(({ metric, value }) => ({ labels: metric, value: parseValue(value[1]), text: value[1] }));
    if (data.resultType === 'matrix') return data.result.map(({ metric, values }) => ({ labels: metric, value: parseValue(values.at(-1)?.[1] ?? 'NaN'), text: values.at(-1)?.[1] ?? '' }));
    return [{ labels: {}, value: parseValue(data.result[1]), text: data.result[1] }];
  };
  const list = rows();
  return { rows: list, figures: { seriesCount: list.length, milliseconds, bytes } };
}

export const formatQuery = (query: string): Promise<string> =>
  request<string>('api/v1/format_query', { form: new URLSearchParams({ query }), isReading: true });
