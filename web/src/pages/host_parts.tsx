// What the list of hosts, the page of one host and the overview share: columns, charts, filesystems.
import { byLabel } from '../chart/lines';
import type { ChartCard } from '../chart/page_charts';
import { common } from '../i18n/common';
import { ago, format, integer, NONE } from '../lib/fmt';
import { rateWindow } from '../lib/history';
import { strings } from '../lib/lang';
import { href } from '../lib/nav';
import type { TimeRange } from '../lib/range';
import { statusClass } from '../lib/status';
import { diskUsed, fullness, FULL, NEARLY_FULL, type DiskRow } from '../lib/host_rules';
import type { HostRow } from '../lib/types';
import { Meter, StatusMark } from '../ui/parts';
import type { Column } from '../ui/table';

const t = strings(
  { received: 'Received', sent: 'Sent', mountpoint: 'Mounted at', device: 'Device', type: 'Type', used: 'Used', free: 'Free', size: 'Size', ofCpus: '{load} of {n} CPUs' },
  { received: 'Принято', sent: 'Отправлено', mountpoint: 'Точка монтирования', device: 'Устройство', type: 'Тип', used: 'Занято', free: 'Свободно', size: 'Размер', ofCpus: '{load} на {n} ЦП' },
);

/** Charts are of the metrics, in which a host is the label "instance". */
export const byInstance = byLabel('instance');

export const diskThresholds: ChartCard['thresholds'] = [{ value: NEARLY_FULL, status: 'warning' }];

/** Processor, memory and disks of all hosts: one line per host, or per disk, never a mean of several. */
export function hostCards(range: TimeRange, look: Pick<ChartCard, 'span' | 'height'>, diskTitle: string): ChartCard[] {
  const base = { ...look, unit: 'ratio', max: 1 } as const;
  return [
    {
      ...base, title: common('cpu'),
      parts: [{ id: 'cpu', label: byInstance, query: `1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[${rateWindow(range)}]))` }],
    },
    {
      ...base, title: common('memory'),
      parts: [{ id: 'memory', label: byInstance, query: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes' }],
    },
    { ...base, title: diskTitle, thresholds: diskThresholds, parts: [{ id: 'disk', label: byLabel('instance', 'mountpoint'), query: diskUsed() }] },
  ];
}

/** A ratio as bar and number; `note` is written before the number. */
export function Share({ value, label, note }: { value: number | null; label: string; note?: string | null }) {
  if (value === null) return <span class="faint">{NONE}</span>;
  return (
    <span class="meter-cell">
      <Meter value={value} label={label} warning={NEARLY_FULL} critical={FULL} />
      {note && <small class="meter-note" title={note}>{note}</small>}
      <span class={statusClass(fullness(value))}>{format(value, 'ratio')}</span>
    </span>
  );
}

const shareColumn = (key: 'cpu_ratio' | 'memory_ratio' | 'disk_ratio', head: string): Column<HostRow> => ({
  key, head, class: 'share-cell', sort: (row) => row[key],
  cell: (row) => <Share value={row[key]} label={`${row.name}: ${head}`} note={key === 'disk_ratio' ? row.disk_mountpoint : null} />,
});

const loadText = ({ load1, cpu_count: count }: HostRow): string | undefined =>
  (load1 !== null && count !== null ? t('ofCpus', { load: format(load1), n: integer(count) }) : undefined);

export const hostColumns = (now: number): Column<HostRow>[] => [
  {
    key: 'name', head: common('host'), sort: (row) => row.name,
    cell: (row) => <a class="name-cell" href={href('system', row.name)}><StatusMark status={row.status} /><span>{row.name}</span></a>,
  },
  shareColumn('cpu_ratio', common('cpu')),
  shareColumn('memory_ratio', common('memory')),
  shareColumn('disk_ratio', common('disk')),
  { key: 'load1', head: common('load'), isNumber: true, priority: 2, sort: (row) => row.load1, cell: (row) => <span title={loadText(row)}>{format(row.load1)}</span> },
  {
    key: 'received', head: t('received'), isNumber: true, priority: 3, sort: (row) => row.network_receive_bytes_per_second,
    cell: (row) => format(row.network_receive_bytes_per_second, 'bytesPerSecond'),
  },
  {
    key: 'sent', head: t('sent'), isNumber: true, priority: 3, sort: (row) => row.network_transmit_bytes_per_second,
    cell: (row) => format(row.network_transmit_bytes_per_second, 'bytesPerSecond'),
  },
  {
    key: 'uptime', head: common('uptime'), isNumber: true, priority: 3, sort: (row) => row.uptime_seconds,
    cell: (row) => (row.status === 'unknown' ? ago(row.seen_at, now) : format(row.uptime_seconds, 'seconds')),
  },
];

/** @param hasHost  the first column names the host */
export function diskColumns(hasHost: boolean): Column<DiskRow>[] {
  const columns: Column<DiskRow>[] = [
    { key: 'mountpoint', head: t('mountpoint'), class: 'path', sort: (row) => row.mountpoint, cell: (row) => <code title={row.mountpoint}>{row.mountpoint}</code> },
    { key: 'used', head: t('used'), class: 'share-cell', sort: (row) => row.used_ratio, cell: (row) => <Share value={row.used_ratio} label={`${row.host} ${row.mountpoint}`} /> },
    { key: 'free', head: t('free'), isNumber: true, sort: (row) => row.available_bytes, cell: (row) => format(row.available_bytes, 'bytes') },
    { key: 'size', head: t('size'), isNumber: true, priority: 2, sort: (row) => row.size_bytes, cell: (row) => format(row.size_bytes, 'bytes') },
    { key: 'device', head: t('device'), class: 'path', priority: 3, sort: (row) => row.device, cell: (row) => <code title={row.device}>{row.device}</code> },
    { key: 'type', head: t('type'), priority: 3, sort: (row) => row.fstype, cell: (row) => row.fstype },
  ];
  if (hasHost) columns.unshift({ key: 'host', head: common('host'), sort: (row) => row.host, cell: (row) => <a class="name-cell" href={href('system', row.host)}><span>{row.host}</span></a> });
  return columns;
}
export const diskId = (row: DiskRow): string => `${row.host} ${row.mountpoint} ${row.device}`;
