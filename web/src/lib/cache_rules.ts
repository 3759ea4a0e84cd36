// How well a cache is, by its thresholds. Pure.
import { format } from './fmt';
import type { Status } from './status';

export const MIB = 1 << 20;

export interface Thresholds { min_hit_rate: number; max_memory_usage_mb: number; max_response_time_ms: number; max_fragmentation: number }
export interface CacheRow {
  service: string; cache: string; status: Status; hits: number | null; misses: number | null; hit_ratio: number | null; hit_ratio_hour: number | null;
  hit_ratio_day: number | null; operations: number | null; response_average_seconds: number | null; evictions: number | null; entries: number | null;
  memory_bytes: number | null; memory_peak_bytes: number | null; fragmentation_ratio: number | null; slow_operations: number | null;
  hits_per_second: number | null; misses_per_second: number | null; thresholds: Thresholds;
}

export const nameOf = (row: { service: string; cache: string }): string => (row.cache === row.service ? row.cache : `${row.service} / ${row.cache}`);

/** One thing that is judged: where its value and its limit are. */
export interface Measure {
  key: 'hitRate' | 'memory' | 'response' | 'fragmentation';
  value: (row: CacheRow) => number | null;
  limit: (thresholds: Thresholds) => number;
  higherIsBetter: boolean;
  text: (value: number) => string;
}

export const MEASURES: Measure[] = [
  { key: 'hitRate', value: (row) => row.hit_ratio_hour ?? row.hit_ratio, limit: (x) => x.min_hit_rate, higherIsBetter: true, text: (v) => format(v, 'ratio') },
  { key: 'memory', value: (row) => row.memory_bytes, limit: (x) => x.max_memory_usage_mb * MIB, higherIsBetter: false, text: (v) => format(v, 'bytes') },
  { key: 'response', value: (row) => row.response_average_seconds, limit: (x) => x.max_response_time_ms / 1000, higherIsBetter: false, text: (v) => format(v, 'seconds') },
  { key: 'fragmentation', value: (row) => row.fragmentation_ratio, limit: (x) => x.max_fragmentation, higherIsBetter: false, text: (v) => format(v, 'ratio') },
];

/** A quarter of the limit beyond it, as the bar shows it, is critical. */
export const criticalLimit = (measure: Measure, limit: number): number => limit * (measure.higherIsBetter ? 0.75 : 1.25);

export function judge(measure: Measure, row: CacheRow): Status {
  const value = measure.value(row);
  if (value === null) return 'unknown';
  const limit = measure.limit(row.thresholds);
  const critical = criticalLimit(measure, limit);
  const isBeyond = (edge: number): boolean => (measure.higherIsBetter ? value < edge : value > edge);
  return isBeyond(critical) ? 'critical' : isBeyond(limit) ? 'warning' : 'good';
}

/** The cache that is nearest to its limit, or furthest beyond it. */
export function worstOf(measure: Measure, rows: CacheRow[]): CacheRow | null {
  const distance = (row: CacheRow): number => {
    const share = (measure.value(row) ?? 0) / (measure.limit(row.thresholds) || 1);
    return measure.higherIsBetter ? share : -share;
  };
  return rows.filter((row) => measure.value(row) !== null).sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
