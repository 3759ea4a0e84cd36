// Answers of the server that several pages read. Seconds, bytes, ratios of 1; null is unknown.
import type { Column } from './history';
import type { Status } from './status';

export interface SparkTimes { start: number; step: number; count: number }

export interface ServiceRow {
  name: string;
  status: Status;
  operations_per_second: number | null;
  error_ratio: number | null;
  p95_seconds: number | null;
  active: number | null;
  uptime_seconds: number | null;
  seen_at: number | null;
  /** 48 half hours, see Strip. */
  strip: string;
  ops_spark?: Column;
  p95_spark?: Column;
}

export type StatusCounts = Record<Status, number>;

export interface HostRow {
  name: string;
  status: Status;
  cpu_ratio: number | null;
  memory_ratio: number | null;
  memory_used_bytes: number | null;
  memory_total_bytes: number | null;
  disk_ratio: number | null;
  disk_mountpoint: string | null;
  load1: number | null;
  cpu_count: number | null;
  network_receive_bytes_per_second: number | null;
  network_transmit_bytes_per_second: number | null;
  uptime_seconds: number | null;
  seen_at: number | null;
}

export interface HealthTile {
  name: 'success_rate' | 'average_time_seconds' | 'queue_depth' | 'refund_rate';
  unit: 'ratio' | 'seconds' | 'count';
  value: number | null;
  previous: number | null;
  health: Status;
  good: number;
  critical: number;
  higher_is_better: boolean;
}

export interface ErrorClass { error_type: string; count: number; is_new: boolean; last_seen: number; hours: number[] }

export interface OverviewData {
  time: number;
  services: { total: number; has_data: boolean; counts: StatusCounts; spark: SparkTimes; rows: ServiceRow[] };
  health: HealthTile[];
  errors: { count: number; operation_errors: number | null; classes: ErrorClass[] };
  hosts: HostRow[];
  hosts_total: number;
}

export interface ServicesData {
  time: number;
  total: number;
  matching: number;
  counts: StatusCounts;
  limit: number;
  offset: number;
  spark: SparkTimes;
  rows: ServiceRow[];
}

export interface OperationRow {
  name: string;
  count: number;
  errors: number;
  min_seconds: number | null;
  max_seconds: number | null;
  operations_per_second: number | null;
  error_ratio: number | null;
  average_seconds: number | null;
  p50_seconds: number | null;
  p95_seconds: number | null;
  p99_seconds: number | null;
  average_spark: Column;
  last_at: number | null;
  last_error: { message: string; class: string; at: number } | null;
}

export interface SlowRow { name: string; max_seconds: number | null; average_seconds: number | null; last_at: number | null }
export interface ErrorRow { operation: string; message: string; class: string; at: number }

export interface ServiceData {
  time: number;
  range: { start: number; end: number };
  service: ServiceRow;
  totals: { count: number; errors: number; since: number | null; reset_at: number | null };
  window: {
    operations_per_second: number | null; error_ratio: number | null; average_seconds: number | null;
    p50_seconds: number | null; p95_seconds: number | null; p99_seconds: number | null;
  };
  spark: SparkTimes;
  operations: OperationRow[];
  operations_total: number;
  slowest: SlowRow[];
  heatmap: { start: number; step: number; count: number; upper: (number | null)[]; counts: (number[] | null)[] } | null;
  errors: ErrorRow[];
}
