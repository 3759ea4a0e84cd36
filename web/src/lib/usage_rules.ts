// What the usage page computes. Pure.
import type { Status } from './status';

export interface UsageTotals {
  events: number;
  ok: number;
  errors: number;
  aborted: number;
  success_rate: number | null;
  average_time_per_item_seconds: number | null;
  average_duration_seconds: number | null;
  p95_duration_seconds: number | null;
  items: number;
  users: number;
  credits_used: number;
  credits_refunded: number;
  refund_rate: number | null;
}
export interface UsageSeries { start: number; step: number; count: number; ok: (number | null)[]; errors: (number | null)[] }

/** The change against before as a ratio; null when there is none, or nothing to compare with. */
export function change(now: number, before: number | undefined): number | null {
  return before === undefined || before === 0 || now === before ? null : now / before - 1;
}

export const largest = (values: number[]): number => Math.max(0, ...values);
/** For the bars beside counts: 0 to 1. */
export const shareOf = (value: number, most: number): number => (most > 0 ? value / most : 0);

export interface Limits { good: number; critical: number }
export const SUCCESS: Limits = { good: 0.95, critical: 0.9 };
export const REFUNDS: Limits = { good: 0.05, critical: 0.1 };

/** A limit itself is on its better side. */
export function judge(value: number | null, { good, critical }: Limits): Status {
  if (value === null) return 'unknown';
  const isBeyond = (limit: number): boolean => (good > critical ? value < limit : value > limit);
  return isBeyond(critical) ? 'critical' : isBeyond(good) ? 'warning' : 'good';
}
