// Answers about hosts, and their order. Pure.
import { severity, type Status } from './status';
import type { HostRow } from './types';

/** Filesystems that fill up: the server leaves out the same ones. */
const DISK_LABELS = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|autofs|rootfs|fuse\\\\..*"';

/** PromQL: used part of each filesystem; `host` is a matcher of labels. */
export function diskUsed(host = ''): string {
  const selector = `{${host ? `${host},` : ''}${DISK_LABELS}}`;
  return `1 - node_filesystem_avail_bytes${selector} / node_filesystem_size_bytes${selector}`;
}

export interface DiskRow {
  host: string;
  mountpoint: string;
  device: string;
  fstype: string;
  used_ratio: number | null;
  available_bytes: number | null;
  size_bytes: number | null;
}

export interface HostsData { time: number; total: number; rows: HostRow[]; disks: DiskRow[] }

/** Where the server calls a resource nearly full, and full. */
export const NEARLY_FULL = 0.9;
export const FULL = 0.95;
export const fullness = (ratio: number | null): Status =>
  (ratio === null ? 'unknown' : ratio > FULL ? 'critical' : ratio > NEARLY_FULL ? 'warning' : 'good');

/** Worst first, then the fullest disk; the order without a choice. */
export const worstHosts = (rows: HostRow[]): HostRow[] =>
  [...rows].sort((a, b) => severity(a.status) - severity(b.status) || (b.disk_ratio ?? -1) - (a.disk_ratio ?? -1) || a.name.localeCompare(b.name));
