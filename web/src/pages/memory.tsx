// Memory per service: what each holds, its limit and peak, how fast it grows; pauses of collectors.
import { byLabel } from '../chart/lines';
import { ChartCards, type ChartCard } from '../chart/page_charts';
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { useCell } from '../lib/cell';
import { filterOf, passes, setFilter } from '../lib/filter';
import { format, integer } from '../lib/fmt';
import { rateWindow } from '../lib/history';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href, route } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf, type TimeRange } from '../lib/range';
import { Card, Filter } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';
import { Share } from './host_parts';
import { hasCollector, limitRatio, slopeText, type MemoryRow } from '../lib/memory_rules';

const t = strings(
  {
    title: 'Memory', byService: 'Memory by service', peak: 'Peak', allocated: 'Allocation rate', allocations: 'Allocations', fragmentation: 'Fragmentation',
    slope: 'Change per hour', noLimit: 'no limit', pauses: 'Collector pauses', averageOf: '{service}, average', maximumOf: '{service}, longest',
    collections: 'Collections', pauseAverage: 'Pause, average', pauseMax: 'Pause, longest', reclaimed: 'Reclaimed',
    none: 'No service reports its memory yet.', collector: 'Garbage collection',
  },
  {
    title: 'Память', byService: 'Память по сервисам', peak: 'Пик', allocated: 'Скорость выделения', allocations: 'Выделения', fragmentation: 'Фрагментация',
    slope: 'Изменение за час', noLimit: 'без лимита', pauses: 'Паузы сборщика', averageOf: '{service}, средняя', maximumOf: '{service}, самая долгая',
    collections: 'Сборки', pauseAverage: 'Пауза, средняя', pauseMax: 'Пауза, самая долгая', reclaimed: 'Освобождено',
    none: 'Сервисы пока не сообщают о своей памяти.', collector: 'Сборка мусора',
  },
);

interface MemoryData { time: number; services: MemoryRow[] }

const CHART_PX = 220;

const byService = byLabel('service');

function cardsOf(range: TimeRange, isCollecting: boolean): ChartCard[] {
  const window = rateWindow(range);
  const rate = (metric: string): string => `sum by (service) (rate(${metric}[${window}]))`;
  const held: ChartCard = {
    title: t('byService'), unit: 'bytes', span: 8, height: CHART_PX, isStacked: true,
    parts: [{ id: 'bytes', label: byService, query: 'sum by (service) (sonde_memory_bytes)' }],
  };
  const allocated: ChartCard = {
    title: t('allocated'), unit: 'bytesPerSecond', span: 4, height: CHART_PX,
    parts: [{ id: 'allocated', label: byService, query: rate('sonde_memory_allocated_bytes_total') }],
  };
  // A service without a collector has a longest pause of 0.
  const pauses: ChartCard = {
    title: t('pauses'), unit: 'seconds', span: 12, height: 150,
    parts: [
      {
        id: 'pause', label: (labels) => t('averageOf', { service: byService(labels) }),
        query: `${rate('sonde_memory_gc_pause_seconds_sum')} / ${rate('sonde_memory_gc_pause_seconds_count')}`,
      },
      { id: 'longest', label: (labels) => t('maximumOf', { service: byService(labels) }), query: 'max by (service) (sonde_memory_gc_pause_max_seconds) > 0' },
    ],
  };
  return isCollecting ? [held, allocated, pauses] : [held, allocated];
}

const nameColumn: Column<MemoryRow> = {
  key: 'service', head: '', sort: (row) => row.service,
  cell: (row) => <a class="name-cell" href={href('services', row.service)}><span>{row.service}</span></a>,
};

const hasLimit = (rows: MemoryRow[]): boolean => rows.some(({ limit_bytes: limit }) => limit);

const limitColumn = (): Column<MemoryRow> => ({
  key: 'limit', head: common('limit'), class: 'share-cell', sort: limitRatio,
  cell: (row) => (!row.limit_bytes ? <small>{t('noLimit')}</small>
    : <Share value={limitRatio(row)} label={`${row.service}: ${common('limit')}`} note={format(row.limit_bytes, 'bytes')} />),
});

const columnsOf = (rows: MemoryRow[]): Column<MemoryRow>[] => [
  { ...nameColumn, head: common('service') },
  { key: 'bytes', head: common('current'), isNumber: true, sort: (row) => row.bytes, cell: (row) => format(row.bytes, 'bytes') },
  ...(hasLimit(rows) ? [limitColumn()] : []),
  { key: 'peak', head: t('peak'), isNumber: true, sort: (row) => row.peak_bytes, cell: (row) => format(row.peak_bytes, 'bytes') },
  { key: 'slope', head: t('slope'), isNumber: true, priority: 2, sort: (row) => row.slope_bytes_per_hour, cell: (row) => slopeText(row.slope_bytes_per_hour) },
  {
    key: 'allocations', head: t('allocations'), isNumber: true, priority: 3, sort: (row) => row.allocations_per_second,
    cell: (row) => format(row.allocations_per_second, 'perSecond'),
  },
  {
    key: 'allocated', head: t('allocated'), isNumber: true, priority: 2, sort: (row) => row.allocated_bytes_per_second,
    cell: (row) => format(row.allocated_bytes_per_second, 'bytesPerSecond'),
  },
  { key: 'fragmentation', head: t('fragmentation'), isNumber: true, priority: 3, sort: (row) => row.fragmentation_ratio, cell: (row) => format(row.fragmentation_ratio, 'ratio') },
];

const collectorColumns = (): Column<MemoryRow>[] => [
  { ...nameColumn, head: common('service') },
  { key: 'pauses', head: t('collections'), isNumber: true, sort: (row) => row.gc_pauses, cell: (row) => integer(row.gc_pauses) },
  { key: 'average', head: t('pauseAverage'), isNumber: true, priority: 2, sort: (row) => row.gc_pause_average_seconds, cell: (row) => format(row.gc_pause_average_seconds, 'seconds') },
  { key: 'max', head: t('pauseMax'), isNumber: true, sort: (row) => row.gc_pause_max_seconds, cell: (row) => format(row.gc_pause_max_seconds, 'seconds') },
  { key: 'reclaimed', head: t('reclaimed'), isNumber: true, priority: 2, sort: (row) => row.gc_reclaimed_bytes, cell: (row) => format(row.gc_reclaimed_bytes, 'bytes') },
];

function Content({ data, filter, range }: { data: MemoryData; filter: string; range: TimeRange }) {
  if (data.services.length === 0) return <Card><Empty>{t('none')}</Empty></Card>;
  const rows = data.services.filter(({ service }) => passes(service, filter));
  const isCollecting = hasCollector(data.services);
  return (
    <div class="grid">
      <ChartCards cards={cardsOf(range, isCollecting)} />
      <Card
        span={12} isFlush title={t('title')}
        actions={<Filter value={filter} onChange={setFilter} found={rows.length} total={data.services.length} />}
      >
        <Table caption={t('title')} columns={columnsOf(data.services)} rows={rows} id={(row) => row.service} sorting={{ key: 'bytes', direction: -1 }} sortParam="sort" />
      </Card>
      {isCollecting && (
        <Card span={12} isFlush title={t('collector')}>
          <Table
            caption={t('collector')} columns={collectorColumns()} rows={rows.filter((row) => hasCollector([row]))} id={(row) => row.service}
            sorting={{ key: 'max', direction: -1 }} sortParam="gc"
          />
        </Card>
      )}
    </div>
  );
}

function View() {
  const { query } = useCell(route);
  const loaded = useApi<MemoryData>(apiPath('v1/memory'));
  return <Load loaded={loaded}>{(data) => <Content data={data} filter={filterOf(query)} range={rangeOf(query)} />}</Load>;
}

export const memory: Page = { id: 'memory', title: () => t('title'), icon: 'memory', group: 'resources', View, needsMetric: 'sonde_memory_bytes' };
