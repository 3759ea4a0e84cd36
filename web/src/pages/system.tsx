// Hosts: CPU, memory, disks, network; one line per host, never an average of several.
import { common } from '../i18n/common';
import { duration, format, significant } from '../lib/fmt';
import type { Labels } from '../lib/history';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import type { Page } from '../lib/page';
import type { Status } from '../lib/status';
import { PageChart, useCharts } from '../chart/page_charts';
import { Card, Meter, StatusMark } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface Host {
  name: string; status: Status; cpu_ratio: number | null; memory_ratio: number | null; memory_used_bytes: number | null; memory_total_bytes: number | null;
  disk_ratio: number | null; disk_mountpoint: string | null; load1: number | null; cpu_count: number | null;
  network_receive_bytes_per_second: number | null; network_transmit_bytes_per_second: number | null; uptime_seconds: number | null; seen_at: number | null;
}
interface Disk { host: string; mountpoint: string; device: string; fstype: string; used_ratio: number | null; available_bytes: number | null; size_bytes: number | null }
interface Answer { time: number; total: number; rows: Host[]; disks: Disk[] }

const t = strings(
  { title: 'System', hosts: 'Hosts', disks: 'Disks', mountpoint: 'Mounted at', device: 'Device', type: 'Type', used: 'Used', free: 'Free', size: 'Size', received: 'received', sent: 'sent', none: 'No host reports yet.', cores: '{n} cores' },
  { title: 'Система', hosts: 'Хосты', disks: 'Диски', mountpoint: 'Точка', device: 'Устройство', type: 'Тип', used: 'Занято', free: 'Свободно', size: 'Размер', received: 'принято', sent: 'отправлено', none: 'Ни один хост ещё не сообщает.', cores: 'ядер: {n}' },
);

const DISK_WARNING = 0.9;
const DISK_FILTER = 'fstype!~"tmpfs|overlay|squashfs|ramfs|devtmpfs"';

function Ratio({ value, label }: { value: number | null; label: string }) {
  if (value === null) return <span class="faint">{format(null)}</span>;
  return <span class="meter-cell"><Meter value={value} label={label} warning={0.9} critical={0.95} /><span>{format(value, 'ratio')}</span></span>;
}

const network = (host: Host): number | null =>
  host.network_receive_bytes_per_second === null ? null : host.network_receive_bytes_per_second + (host.network_transmit_bytes_per_second ?? 0);

const hostColumns = (): Column<Host>[] => [
  { key: 'name', head: common('host'), sort: (row) => row.name, cell: (row) => <span class="name-cell"><StatusMark status={row.status} /><span>{row.name}</span></span> },
  { key: 'cpu', head: common('cpu'), width: 180, sort: (row) => row.cpu_ratio, cell: (row) => <Ratio value={row.cpu_ratio} label={`${row.name} ${common('cpu')}`} /> },
  { key: 'memory', head: common('memory'), width: 180, sort: (row) => row.memory_ratio, cell: (row) => <Ratio value={row.memory_ratio} label={`${row.name} ${common('memory')}`} /> },
  { key: 'disk', head: common('disk'), width: 180, sort: (row) => row.disk_ratio, cell: (row) => <Ratio value={row.disk_ratio} label={`${row.name} ${common('disk')} ${row.disk_mountpoint ?? ''}`} /> },
  { key: 'load', head: common('load'), isNumber: true, priority: 2, sort: (row) => row.load1, cell: (row) => (row.load1 === null ? format(null) : <>{significant(row.load1)} {row.cpu_count !== null && <small class="faint">/ {row.cpu_count}</small>}</>) },
  { key: 'network', head: common('network'), isNumber: true, priority: 3, sort: network, cell: (row) => format(network(row), 'bytesPerSecond') },
  { key: 'uptime', head: common('uptime'), isNumber: true, priority: 3, sort: (row) => row.uptime_seconds, cell: (row) => (row.uptime_seconds === null ? format(null) : duration(row.uptime_seconds)) },
];

const diskColumns = (): Column<Disk>[] => [
  { key: 'mountpoint', head: t('mountpoint'), sort: (row) => row.mountpoint, cell: (row) => <code>{row.mountpoint}</code> },
  { key: 'host', head: common('host'), sort: (row) => row.host, cell: (row) => row.host },
  { key: 'used', head: t('used'), width: 180, sort: (row) => row.used_ratio, cell: (row) => <Ratio value={row.used_ratio} label={`${row.host} ${row.mountpoint}`} /> },
  { key: 'free', head: t('free'), isNumber: true, sort: (row) => row.available_bytes, cell: (row) => format(row.available_bytes, 'bytes') },
  { key: 'size', head: t('size'), isNumber: true, priority: 2, sort: (row) => row.size_bytes, cell: (row) => format(row.size_bytes, 'bytes') },
  { key: 'device', head: t('device'), priority: 3, sort: (row) => row.device, cell: (row) => <code>{row.device}</code> },
  { key: 'type', head: t('type'), priority: 3, sort: (row) => row.fstype, cell: (row) => row.fstype },
];

const QUERIES = {
  cpu: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[2m]))',
  memory: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
  disk: `1 - node_filesystem_avail_bytes{${DISK_FILTER}} / node_filesystem_size_bytes{${DISK_FILTER}}`,
  received: 'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[2m]))',
  sent: 'sum by (instance) (rate(node_network_transmit_bytes_total{device!="lo"}[2m]))',
  load: 'node_load1',
};

const host = (labels: Labels): string => labels.instance;

function System() {
  const loaded = useApi<Answer>('api/v1/hosts');
  const charts = useCharts(QUERIES);
  return (
    <div class="grid">
      <Card span={12} isFlush title={t('hosts')}>
        <Load loaded={loaded}>
          {(data) => <Table caption={t('hosts')} id={(row) => row.name} rows={data.rows} columns={hostColumns()} sortParam="sort" empty={<Empty>{t('none')}</Empty>} />}
        </Load>
      </Card>
      <Card span={6}><PageChart title={common('cpu')} unit="ratio" max={1} charts={charts} parts={[{ id: 'cpu', label: host }]} /></Card>
      <Card span={6}><PageChart title={common('memory')} unit="ratio" max={1} charts={charts} parts={[{ id: 'memory', label: host }]} /></Card>
      <Card span={6}><PageChart title={`${common('disk')} · ${t('used')}`} unit="ratio" max={1} charts={charts} parts={[{ id: 'disk', label: (labels) => `${labels.instance} ${labels.mountpoint}` }]} thresholds={[{ value: DISK_WARNING, status: 'warning' }]} /></Card>
      <Card span={6}><PageChart title={common('load')} unit="number" charts={charts} parts={[{ id: 'load', label: host }]} /></Card>
      <Card span={6}><PageChart title={`${common('network')} · ${t('received')}`} unit="bytesPerSecond" charts={charts} parts={[{ id: 'received', label: host }]} /></Card>
      <Card span={6}><PageChart title={`${common('network')} · ${t('sent')}`} unit="bytesPerSecond" charts={charts} parts={[{ id: 'sent', label: host }]} /></Card>
      {loaded.data && loaded.data.disks.length > 0 && (
        <Card span={12} isFlush title={t('disks')}>
          <Table caption={t('disks')} id={(row) => `${row.host} ${row.mountpoint}`} rows={loaded.data.disks} columns={diskColumns()} sorting={{ key: 'used', direction: -1 }} sortParam="disks" />
        </Card>
      )}
    </div>
  );
}

export const system: Page = { id: 'system', title: () => t('title'), icon: 'system', group: 'resources', View: System };
