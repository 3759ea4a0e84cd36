// What the memory page computes. Pure.
import { difference, format, NONE } from './fmt';

export interface MemoryRow {
  service: string;
  bytes: number | null;
  peak_bytes: number | null;
  /** Left out where no limit is known. */
  limit_bytes?: number | null;
  allocations_per_second: number | null;
  allocated_bytes_per_second: number | null;
  fragmentation_ratio: number | null;
  slope_bytes_per_hour: number | null;
  gc_pauses: number | null;
  gc_pause_average_seconds: number | null;
  gc_pause_max_seconds: number | null;
  gc_reclaimed_bytes: number | null;
}

/** Part of the limit that is used; null without a limit. */
export const limitRatio = ({ bytes, limit_bytes: limit }: Pick<MemoryRow, 'bytes' | 'limit_bytes'>): number | null =>
  bytes === null || !limit ? null : bytes / limit;

/** Slower than this it stands still: the fit of a noisy line is never quite flat. */
const STILL_BYTES_PER_HOUR = 1024;
export function slopeText(slope: number | null): string {
  if (slope === null) return NONE;
  return Math.abs(slope) < STILL_BYTES_PER_HOUR ? format(0, 'bytes') : difference(slope, 'bytes');
}

/** Whether any service has a garbage collector: in C most have none. */
export const hasCollector = (rows: MemoryRow[]): boolean => rows.some(({ gc_pauses: pauses }) => (pauses ?? 0) > 0);
