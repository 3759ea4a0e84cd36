// What the cache page computes: the worst cache of each figure, and the limits that somebody types. Pure.
import type { Unit } from './fmt';
import type { Status } from './status';

export interface Thresholds { min_hit_rate: number; max_memory_usage_mb: number; max_response_time_ms: number; max_fragmentation: number }
export type ThresholdName = keyof Thresholds;
export type AlertName = 'low_hit_rate' | 'high_memory_usage' | 'slow_response' | 'high_fragmentation';

export interface CacheRow {
  service: string;
  cache: string;
  status: Status;
  hits: number | null;
  misses: number | null;
  hit_ratio: number | null;
  hit_ratio_hour: number | null;
  hit_ratio_day: number | null;
  operations: number | null;
  response_average_seconds: number | null;
  evictions: number | null;
  entries: number | null;
  memory_bytes: number | null;
  memory_peak_bytes: number | null;
  fragmentation_ratio: number | null;
  slow_operations: number | null;
  hits_per_second: number | null;
  misses_per_second: number | null;
  thresholds: Thresholds;
  alerts: { alert: AlertName; value: number; limit: ThresholdName; threshold: number }[];
}

/** A figure of a cache that has a limit. */
export interface Measure {
  alert: AlertName;
  limit: ThresholdName;
  unit: Unit;
  /** Base units in one unit of the limit. */
  scale: number;
  isHigherBetter: boolean;
  value: (row: CacheRow) => number | null;
}

const MIB = 1024 * 1024;
export const MEASURES: Measure[] = [
  { alert: 'low_hit_rate', limit: 'min_hit_rate', unit: 'ratio', scale: 1, isHigherBetter: true, value: (row) => row.hit_ratio_hour ?? row.hit_ratio },
  { alert: 'high_memory_usage', limit: 'max_memory_usage_mb', unit: 'bytes', scale: MIB, isHigherBetter: false, value: (row) => row.memory_bytes },
  { alert: 'slow_response', limit: 'max_response_time_ms', unit: 'seconds', scale: 0.001, isHigherBetter: false, value: (row) => row.response_average_seconds },
  { alert: 'high_fragmentation', limit: 'max_fragmentation', unit: 'ratio', scale: 1, isHigherBetter: false, value: (row) => row.fragmentation_ratio },
];

/** The limit in base units. */
export const limitOf = (measure: Measure, thresholds: Thresholds): number => thresholds[measure.limit] * measure.scale;

/** How far a value is beyond its limit, in parts of the limit; negative: within. */
function excess(measure: Measure, value: number, limit: number): number {
  const difference = measure.isHigherBetter ? limit - value : value - limit;
  return limit > 0 ? difference / limit : difference;
}

/** The server says so, or the value is beyond the limit (an alert waits for some operations first). */
export function isBeyond(row: CacheRow, measure: Measure): boolean {
  const value = measure.value(row);
  return row.alerts.some(({ alert }) => alert === measure.alert)
    || (value !== null && excess(measure, value, limitOf(measure, row.thresholds)) > 0);
}

/** The limit that all caches share; null when they differ, or there are none: a line in a chart of all would be wrong. */
export function sharedLimit(rows: CacheRow[], measure: Measure): number | null {
  const limits = new Set(rows.map(({ thresholds }) => limitOf(measure, thresholds)));
  return limits.size === 1 ? [...limits][0] : null;
}

export const cacheId = ({ service, cache }: Pick<CacheRow, 'service' | 'cache'>): string => JSON.stringify([service, cache]);
export const cacheLabel = ({ service, cache }: Pick<CacheRow, 'service' | 'cache'>): string =>
  (cache === service ? cache : `${cache} (${service})`);

export interface Worst { row: CacheRow; value: number; limit: number; isBeyond: boolean }

/** The cache that is nearest to its own limit, or farthest beyond it; those beyond a limit before others. */
export function worstOf(rows: CacheRow[], measure: Measure): Worst | null {
  let worst: Worst | null = null;
  for (const row of rows) {
    const value = measure.value(row);
    if (value === null) continue;
    const next: Worst = { row, value, limit: limitOf(measure, row.thresholds), isBeyond: isBeyond(row, measure) };
    const isWorse = worst === null || (next.isBeyond === worst.isBeyond
      ? excess(measure, next.value, next.limit) > excess(measure, worst.value, worst.limit) : next.isBeyond);
    if (isWorse) worst = next;
  }
  return worst;
}

/** Where value and limit stand on a bar, in percent of it. */
export function limitPlaces(measure: Measure, value: number, limit: number): { value: number; limit: number } {
  const top = measure.unit === 'ratio' ? Math.max(1, value) : Math.max(limit * 1.5, value * 1.1) || 1;
  const percent = (x: number): number => Math.min(100, Math.max(0, (x / top) * 100));
  return { value: percent(value), limit: percent(limit) };
}

// ---- limits as people type them: ratios in percent ----

export const THRESHOLD_NAMES: ThresholdName[] = MEASURES.map(({ limit }) => limit);
export const isPercent = (name: ThresholdName): boolean => MEASURES.some(({ limit, unit }) => limit === name && unit === 'ratio');

export type Fields = Record<ThresholdName, string>;
const shorten = (value: number): string => String(Number(value.toPrecision(12))); // 0.29 * 100 is 28.999999999999996

export function fieldsOf(thresholds: Thresholds): Fields {
  const text = (name: ThresholdName): string => shorten(thresholds[name] * (isPercent(name) ? 100 : 1));
  return Object.fromEntries(THRESHOLD_NAMES.map((name) => [name, text(name)])) as Fields;
}

export interface Parsed { changes: Partial<Thresholds>; wrong: ThresholdName[] }

/** What was changed, and which fields are no limits: percent 0 to 100, the others above 0. */
export function parseFields(fields: Fields, before: Thresholds): Parsed {
  const parsed: Parsed = { changes: {}, wrong: [] };
  const was = fieldsOf(before);
  for (const name of THRESHOLD_NAMES) {
    const text = fields[name].trim().replace(',', '.');
    const value = text === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || (isPercent(name) ? value < 0 || value > 100 : value <= 0)) parsed.wrong.push(name);
    else if (shorten(value) !== was[name]) parsed.changes[name] = isPercent(name) ? Number(shorten(value / 100)) : value;
  }
  return parsed;
}
