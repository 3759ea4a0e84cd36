// One host: figures, processor by mode, memory, load, each disk and each network device.
import { byLabel } from '../chart/lines';
import { ChartCards, type ChartCard } from '../chart/page_charts';
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { ago, format, integer } from '../lib/fmt';
import { quote, rateWindow } from '../lib/history';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href } from '../lib/nav';
import type { TimeRange } from '../lib/range';
import type { HostRow } from '../lib/types';
import { Badge, Card, Stat, Stats } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table } from '../ui/table';
import { diskUsed, fullness, type HostsData } from '../lib/host_rules';
import { diskColumns, diskId, diskThresholds } from './host_parts';

const t = strings(
  {
    unknown: 'There is no host “{name}”.', all: 'All hosts', lastSeen: 'Last sample {ago}', cpuModes: 'CPU by mode', used: 'used', cached: 'buffers and cache',
    swap: 'swap', diskUsed: 'Disk used', diskBusy: 'Disk busy', diskRead: 'Disk read', diskWritten: 'Disk written', received: 'Network received', sent: 'Network sent',
    cpus: '{n} CPUs', minutes: '{n} min', filesystems: 'Filesystems', fullest: 'Disk {at}', ofTotal: 'of {total}',
  },
  {
    unknown: 'Хоста «{name}» нет.', all: 'Все хосты', lastSeen: 'Последний отсчёт {ago}', cpuModes: 'ЦП по режимам', used: 'занято', cached: 'буферы и кэш',
    swap: 'подкачка', diskUsed: 'Занято на диске', diskBusy: 'Занятость диска', diskRead: 'Чтение с диска', diskWritten: 'Запись на диск', received: 'Сеть, приём', sent: 'Сеть, передача',
    cpus: '{n} ЦП', minutes: '{n} мин', filesystems: 'Файловые системы', fullest: 'Диск {at}', ofTotal: 'из {total}',
  },
);

const HEIGHT_PX = 150;
const LOAD_MINUTES = [1, 5, 15];
const byDevice = byLabel('device');

function cardsOf(name: string, cpuCount: number | null, range: TimeRange): ChartCard[] {
  const window = rateWindow(range);
  const host = `instance=${quote(name)}`;
  const gauge = (metric: string, more = ''): string => `${metric}{${[host, more].filter((text) => text).join(',')}}`;
  const rate = (metric: string, more = ''): string => `rate(${gauge(metric, more)}[${window}])`;
  const byDeviceRate = (id: string, title: string, metric: string, more = ''): ChartCard =>
    ({ title, unit: 'bytesPerSecond', span: 4, height: HEIGHT_PX, parts: [{ id, query: rate(metric, more), label: byDevice }] });
  const memory = {
    used: `${gauge('node_memory_MemTotal_bytes')} - ${gauge('node_memory_MemAvailable_bytes')}`,
    cached: `${gauge('node_memory_Buffers_bytes')} + ${gauge('node_memory_Cached_bytes')}`,
    swap: `${gauge('node_memory_SwapTotal_bytes')} - ${gauge('node_memory_SwapFree_bytes')}`,
  };
  return [
    {
      title: t('cpuModes'), unit: 'ratio', span: 4, height: HEIGHT_PX, max: 1, isStacked: true,
      parts: [{
        id: 'cpu', label: byLabel('mode'),
        query: `sum by (mode) (${rate('node_cpu_seconds_total', 'mode!="idle"')}) / scalar(count(${gauge('node_cpu_seconds_total', 'mode="idle"')}))`,
      }],
    },
    {
      title: common('memory'), unit: 'bytes', span: 4, height: HEIGHT_PX,
      parts: (['used', 'cached', 'swap'] as const).map((id) => ({ id, query: memory[id], label: () => t(id) })),
    },
    {
      title: common('load'), unit: 'number', span: 4, height: HEIGHT_PX,
      thresholds: cpuCount === null ? undefined : [{ value: cpuCount, status: 'warning', label: t('cpus', { n: integer(cpuCount) }) }],
      parts: LOAD_MINUTES.map((minutes) => ({ id: `load${minutes}`, query: gauge(`node_load${minutes}`), label: () => t('minutes', { n: minutes }) })),
    },
    {
      title: t('diskUsed'), unit: 'ratio', span: 4, height: HEIGHT_PX, max: 1, thresholds: diskThresholds,
      parts: [{ id: 'disk', query: diskUsed(host), label: byLabel('mountpoint') }],
    },
    byDeviceRate('read', t('diskRead'), 'node_disk_read_bytes_total'),
    byDeviceRate('written', t('diskWritten'), 'node_disk_written_bytes_total'),
    { title: t('diskBusy'), unit: 'ratio', span: 4, height: HEIGHT_PX, max: 1, parts: [{ id: 'busy', query: rate('node_disk_io_time_seconds_total'), label: byDevice }] },
    byDeviceRate('received', t('received'), 'node_network_receive_bytes_total', 'device!="lo"'),
    byDeviceRate('sent', t('sent'), 'node_network_transmit_bytes_total', 'device!="lo"'),
  ];
}

function Figures({ row }: { row: HostRow }) {
  const memoryNote = row.memory_total_bytes === null ? undefined : t('ofTotal', { total: format(row.memory_total_bytes, 'bytes') });
  const loadNote = row.cpu_count === null ? undefined : t('cpus', { n: integer(row.cpu_count) });
  return (
    <Stats>
      <Stat label={common('cpu')} value={format(row.cpu_ratio, 'ratio')} status={fullness(row.cpu_ratio)} />
      <Stat label={common('memory')} value={format(row.memory_ratio, 'ratio')} note={memoryNote} status={fullness(row.memory_ratio)} />
      <Stat label={t('fullest', { at: row.disk_mountpoint ?? '' })} value={format(row.disk_ratio, 'ratio')} status={fullness(row.disk_ratio)} />
      <Stat label={common('load')} value={format(row.load1)} note={loadNote} />
      <Stat label={t('received')} value={format(row.network_receive_bytes_per_second, 'bytesPerSecond')} />
      <Stat label={t('sent')} value={format(row.network_transmit_bytes_per_second, 'bytesPerSecond')} />
      <Stat label={common('uptime')} value={format(row.uptime_seconds, 'seconds')} />
    </Stats>
  );
}

function Content({ data, name, range }: { data: HostsData; name: string; range: TimeRange }) {
  const row = data.rows.find((one) => one.name === name);
  if (!row) return <Empty action={<a class="button" href={href('system')}>{t('all')}</a>}>{t('unknown', { name })}</Empty>;
  const disks = data.disks.filter(({ host }) => host === name);
  return (
    <>
      <div class="page-head">
        <Badge status={row.status} />
        {row.status === 'unknown' && <span>{t('lastSeen', { ago: ago(row.seen_at, data.time) })}</span>}
      </div>
      <Figures row={row} />
      <div class="grid">
        <ChartCards cards={cardsOf(name, row.cpu_count, range)} />
        <Card span={12} isFlush title={t('filesystems')}>
          <Table caption={t('filesystems')} columns={diskColumns(false)} rows={disks} id={diskId} sortParam="disks" empty={common('nothing')} />
        </Card>
      </div>
    </>
  );
}

export function Host({ name, range }: { name: string; range: TimeRange }) {
  const loaded = useApi<HostsData>(apiPath('v1/hosts'));
  return <Load loaded={loaded}>{(data) => <Content data={data} name={name} range={range} />}</Load>;
}
