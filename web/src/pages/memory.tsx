// Memory of services: who holds how much, of what limit, and whether it grows.
import { common } from '../i18n/common';
import { format } from '../lib/fmt';
import { rateWindow } from '../lib/history';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href } from '../lib/nav';
import type { Page } from '../lib/page';
import { PageChart, useCharts, usePageRange } from '../chart/page_charts';
import { Card, Meter } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface Service {
  service: string; bytes: number | null; peak_bytes: number | null; limit_bytes: number | null;
  allocations_per_second: number | null; allocated_bytes_per_second: number | null; fragmentation_ratio: number | null;
  slope_bytes_per_hour: number | null; gc_pauses: number | null; gc_pause_average_seconds: number | null; gc_pause_max_seconds: number | null;
  gc_reclaimed_bytes: number | null;
}
interface Answer { time: number; services: Service[] }

const FRAGMENTATION_WARNING = 0.3;

const t = strings(
  {
    byService: 'Memory by service', gc: 'GC pauses', allocated: 'Allocated', peak: 'Peak', fragmentation: 'Fragmentation', slope: 'Change per hour',
    reclaimed: 'Reclaimed', none: 'No service reports its memory. In C: sonde_memory_get(NULL, "my-service").', average: 'average', maximum: 'longest', allocations: 'Allocations',
  },
  {
    byService: 'Память по сервисам', gc: 'Паузы GC', allocated: 'Выделение', peak: 'Пик', fragmentation: 'Фрагментация', slope: 'За час',
    reclaimed: 'Освобождено', none: 'Ни один сервис не сообщает о памяти. На C: sonde_memory_get(NULL, "my-service").', average: 'средняя', maximum: 'самая долгая', allocations: 'Выделения',
  },
);

const columns = (): Column<Service>[] => [
  { key: 'service', head: common('service'), sort: (row) => row.service, cell: (row) => <a href={href('services', row.service)}>{row.service}</a> },
  { key: 'bytes', head: common('current'), isNumber: true, sort: (row) => row.bytes, cell: (row) => format(row.bytes, 'bytes') },
  { key: 'limit', head: common('limit'), width: 190, sort: (row) => (row.limit_bytes ? (row.bytes ?? 0) / row.limit_bytes : null), cell: (row) => <OfLimit row={row} /> },
  { key: 'peak', head: t('peak'), isNumber: true, sort: (row) => row.peak_bytes, cell: (row) => format(row.peak_bytes, 'bytes') },
  { key: 'allocated', head: t('allocated'), isNumber: true, priority: 2, sort: (row) => row.allocated_bytes_per_second, cell: (row) => format(row.allocated_bytes_per_second, 'bytesPerSecond') },
  { key: 'allocations', head: t('allocations'), isNumber: true, priority: 3, sort: (row) => row.allocations_per_second, cell: (row) => format(row.allocations_per_second, 'perSecond') },
  { key: 'fragmentation', head: t('fragmentation'), isNumber: true, priority: 2, sort: (row) => row.fragmentation_ratio, cell: (row) => <span class={(row.fragmentation_ratio ?? 0) > FRAGMENTATION_WARNING ? 'text-warning' : ''}>{format(row.fragmentation_ratio, 'ratio')}</span> },
  { key: 'slope', head: t('slope'), isNumber: true, priority: 3, sort: (row) => row.slope_bytes_per_hour, cell: (row) => growth(row.slope_bytes_per_hour) },
];

function growth(slope: number | null): string {
  if (slope === null) return format(null);
  const size = format(Math.abs(slope), 'bytes');
  return slope > 0 ? `+${size}` : slope < 0 ? `−${size}` : size;
}

function OfLimit({ row }: { row: Service }) {
  if (!row.limit_bytes || row.bytes === null) return <span class="faint">{format(null)}</span>;
  const ratio = row.bytes / row.limit_bytes;
  return <span class="meter-cell"><Meter value={ratio} label={`${row.service}: ${common('limit')}`} /><span>{format(ratio, 'ratio')}</span></span>;
}

interface Collector { service: string; pauses: number; average: number | null; longest: number | null; reclaimed: number | null }
const collectorColumns = (): Column<Collector>[] => [
  { key: 'service', head: common('service'), sort: (row) => row.service, cell: (row) => row.service },
  { key: 'pauses', head: common('count'), isNumber: true, sort: (row) => row.pauses, cell: (row) => format(row.pauses) },
  { key: 'average', head: t('average'), isNumber: true, sort: (row) => row.average, cell: (row) => format(row.average, 'seconds') },
  { key: 'longest', head: t('maximum'), isNumber: true, sort: (row) => row.longest, cell: (row) => format(row.longest, 'seconds') },
  { key: 'reclaimed', head: t('reclaimed'), isNumber: true, priority: 2, sort: (row) => row.reclaimed, cell: (row) => format(row.reclaimed, 'bytes') },
];

const collectors = (services: Service[]): Collector[] => services
  .filter((row) => (row.gc_pauses ?? 0) > 0)
  .map((row) => ({ service: row.service, pauses: row.gc_pauses ?? 0, average: row.gc_pause_average_seconds, longest: row.gc_pause_max_seconds, reclaimed: row.gc_reclaimed_bytes }));

function Memory() {
  const loaded = useApi<Answer>('api/v1/memory');
  const window = rateWindow(usePageRange());
  const charts = useCharts({
    memory: 'sum by (service) (sonde_memory_bytes)',
    allocated: `sum by (service) (rate(sonde_memory_allocated_bytes_total[${window}]))`,
  });
  return (
    <div class="grid">
      <Card span={7}><PageChart title={t('byService')} unit="bytes" charts={charts} parts={[{ id: 'memory', label: (labels) => labels.service }]} isStacked height={220} /></Card>
      <Card span={5}><PageChart title={t('allocated')} unit="bytesPerSecond" charts={charts} parts={[{ id: 'allocated', label: (labels) => labels.service }]} height={220} /></Card>
      <Card span={12} isFlush title={common('memory')}>
        <Load loaded={loaded}>
          {(data) => <Table caption={common('memory')} id={(row) => row.service} rows={data.services} columns={columns()} sorting={{ key: 'bytes', direction: -1 }} sortParam="sort" empty={<Empty>{t('none')}</Empty>} />}
        </Load>
      </Card>
      {loaded.data && collectors(loaded.data.services).length > 0 && (
        <Card span={12} isFlush title={t('gc')}>
          <Table caption={t('gc')} id={(row) => row.service} rows={collectors(loaded.data.services)} columns={collectorColumns()} />
        </Card>
      )}
    </div>
  );
}

export const memory: Page = { id: 'memory', title: () => common('memory'), icon: 'memory', group: 'resources', View: Memory, needsMetric: 'sonde_memory_bytes' };
