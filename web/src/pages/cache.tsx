// Caches: the worst against each of the four limits, hit rates, memory, response times, one row per cache.
import { useState } from 'preact/hooks';
import { ChartCards, type ChartCard } from '../chart/page_charts';
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { useCell } from '../lib/cell';
import { filterOf, passes, setFilter } from '../lib/filter';
import { format, integer, NONE } from '../lib/fmt';
import { quote, rateWindow, type Labels } from '../lib/history';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf, type TimeRange } from '../lib/range';
import { isAdmin } from '../lib/session';
import { severity } from '../lib/status';
import { Badge, Card, Filter, StatusMark } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';
import { cacheId, cacheLabel, isBeyond, limitPlaces, MEASURES, sharedLimit, worstOf, type CacheRow, type Measure, type Thresholds } from '../lib/cache_rules';
import { LimitsDrawer } from './cache_limits';

const t = strings(
  {
    title: 'Cache', caches: 'Caches', none: 'No cache reports yet.', low_hit_rate: 'Hit rate', high_memory_usage: 'Memory used', slow_response: 'Response time',
    high_fragmentation: 'Fragmentation', lowest: 'lowest: {cache}', highest: 'highest: {cache}', atLeast: 'at least {limit}', atMost: 'at most {limit}',
    cache: 'Cache', lastHour: 'Hit rate, last hour', lastDay: 'Last day', entries: 'Entries', peak: 'Peak', evictions: 'Evictions', slow: 'Slow',
    editLimits: 'Alert limits', hitsAndMisses: 'Hits and misses', hits: 'hits', misses: 'misses', evicted: 'evictions', response95: 'Response time, p95',
    evictedAndSlow: 'Evictions and slow operations', slowOnes: 'slow operations', only: 'Charts of {cache} only', showAll: 'All caches', total: 'total',
  },
  {
    title: 'Кэш', caches: 'Кэши', none: 'Кэши пока ничего не сообщают.', low_hit_rate: 'Доля попаданий', high_memory_usage: 'Занято памяти', slow_response: 'Время ответа',
    high_fragmentation: 'Фрагментация', lowest: 'меньше всех: {cache}', highest: 'больше всех: {cache}', atLeast: 'не меньше {limit}', atMost: 'не больше {limit}',
    cache: 'Кэш', lastHour: 'Попадания за час', lastDay: 'За сутки', entries: 'Записей', peak: 'Пик', evictions: 'Вытеснено', slow: 'Медленных',
    editLimits: 'Пороги алертов', hitsAndMisses: 'Попадания и промахи', hits: 'попадания', misses: 'промахи', evicted: 'вытеснения', response95: 'Время ответа, p95',
    evictedAndSlow: 'Вытеснения и медленные операции', slowOnes: 'медленные операции', only: 'Графики только для {cache}', showAll: 'Все кэши', total: 'всего',
  },
);

interface CacheData { time: number; thresholds: Thresholds; caches: CacheRow[] }

// ---- the four limits ----

function Tile({ rows, measure }: { rows: CacheRow[]; measure: Measure }) {
  const worst = worstOf(rows, measure);
  if (!worst) return null;
  const { value, limit, row } = worst;
  const places = limitPlaces(measure, value, limit);
  const kinds = measure.isHigherBetter ? (['warning', 'good'] as const) : (['good', 'warning'] as const);
  const limitText = t(measure.isHigherBetter ? 'atLeast' : 'atMost', { limit: format(limit, measure.unit) });
  const whose = rows.length > 1 ? t(measure.isHigherBetter ? 'lowest' : 'highest', { cache: cacheLabel(row) }) : '';
  return (
    <Card span={3} class="health">
      <div class="health-head"><span class="health-name">{t(measure.alert)}</span><Badge status={worst.isBeyond ? 'warning' : 'good'} /></div>
      <div class="health-value">{format(value, measure.unit)}</div>
      <div class="zones" aria-hidden="true">
        <i class={`zone-${kinds[0]}`} style={{ width: `${places.limit}%` }} />
        <i class={`zone-${kinds[1]}`} style={{ width: `${100 - places.limit}%` }} />
        <em style={{ left: `${places.value}%` }} />
      </div>
      <p class="limit-line"><span>{limitText}</span>{whose && <span class="limit-whose" title={whose}>{whose}</span>}</p>
    </Card>
  );
}

// ---- charts ----

const byCache = (labels: Labels): string => cacheLabel({ service: labels.service ?? NONE, cache: labels.cache ?? NONE });

/** Charts of all caches, one line each, or of one. */
function cardsOf(range: TimeRange, only: CacheRow | undefined, all: CacheRow[]): ChartCard[] {
  const window = rateWindow(range);
  const selector = only ? `{service=${quote(only.service)},cache=${quote(only.cache)}}` : '';
  const rate = (metric: string): string => `rate(${metric}${selector}[${window}])`;
  const sum = (metric: string): string => `sum by (service, cache) (${rate(metric)})`;
  const thresholdOf = (index: number): ChartCard['thresholds'] => {
    const value = sharedLimit(only ? [only] : all, MEASURES[index]);
    return value === null ? undefined : [{ value, status: 'warning' }];
  };
  const hits = sum('sonde_cache_hits_total');
  return [
    {
      title: t('low_hit_rate'), unit: 'ratio', span: 8, height: 180, max: 1, thresholds: thresholdOf(0),
      parts: [{ id: 'ratio', label: byCache, query: `${hits} / (${hits} + ${sum('sonde_cache_misses_total')})` }],
    },
    {
      title: t('high_memory_usage'), unit: 'bytes', span: 4, height: 180, thresholds: thresholdOf(1),
      parts: [{ id: 'memory', label: byCache, query: `sum by (service, cache) (sonde_cache_memory_bytes${selector})` }],
    },
    {
      title: t('hitsAndMisses'), unit: 'perSecond', span: 4, height: 160, isStacked: true, note: only ? undefined : t('total'),
      parts: [
        { id: 'hits', label: () => t('hits'), query: `sum(${rate('sonde_cache_hits_total')})` },
        { id: 'misses', label: () => t('misses'), query: `sum(${rate('sonde_cache_misses_total')})` },
      ],
    },
    {
      title: t('response95'), unit: 'seconds', span: 4, height: 160, thresholds: thresholdOf(2),
      parts: [{ id: 'response', label: byCache, query: `histogram_quantile(0.95, sum by (service, cache, le) (${rate('sonde_cache_response_seconds_bucket')}))` }],
    },
    {
      title: t('evictedAndSlow'), unit: 'perSecond', span: 4, height: 160, note: only ? undefined : t('total'),
      parts: [
        { id: 'evictions', label: () => t('evicted'), query: `sum(${rate('sonde_cache_evictions_total')})` },
        { id: 'slow', label: () => t('slowOnes'), query: `sum(${rate('sonde_cache_slow_operations_total')})` },
      ],
    },
  ];
}

// ---- the table ----

const perSecond = ({ hits_per_second: hits, misses_per_second: misses }: CacheRow): number | null =>
  (hits === null && misses === null ? null : (hits ?? 0) + (misses ?? 0));

/** The figure of a limit, coloured while it is beyond that. */
function Figure({ row, index }: { row: CacheRow; index: number }) {
  const measure = MEASURES[index];
  return <span class={isBeyond(row, measure) ? 'text-warning' : ''}>{format(measure.value(row), measure.unit)}</span>;
}

const measureColumn = (index: number, head: string, priority?: 2 | 3): Column<CacheRow> => ({
  key: MEASURES[index].limit, head, isNumber: true, priority, sort: MEASURES[index].value, cell: (row) => <Figure row={row} index={index} />,
});

const countColumn = (key: 'entries' | 'evictions' | 'slow_operations', head: string, priority: 2 | 3): Column<CacheRow> => ({
  key, head, isNumber: true, priority, sort: (row) => row[key],
  cell: (row) => <span title={row[key] === null ? undefined : integer(row[key])}>{format(row[key])}</span>,
});

const columnsOf = (onChoose: (row: CacheRow) => void): Column<CacheRow>[] => [
  {
    key: 'cache', head: t('cache'), sort: (row) => row.cache,
    cell: (row) => (
      <button type="button" class="link-button strong name-cell" title={t('only', { cache: cacheLabel(row) })} onClick={() => onChoose(row)}>
        <StatusMark status={row.status} /><span>{cacheLabel(row)}</span>
      </button>
    ),
  },
  measureColumn(0, t('lastHour')),
  { key: 'day', head: t('lastDay'), isNumber: true, priority: 2, sort: (row) => row.hit_ratio_day, cell: (row) => format(row.hit_ratio_day, 'ratio') },
  { key: 'operations', head: common('perSecond'), isNumber: true, sort: perSecond, cell: (row) => format(perSecond(row)) },
  countColumn('entries', t('entries'), 2),
  measureColumn(1, t('high_memory_usage'), 2),
  { key: 'peak', head: t('peak'), isNumber: true, priority: 3, sort: (row) => row.memory_peak_bytes, cell: (row) => format(row.memory_peak_bytes, 'bytes') },
  measureColumn(2, t('slow_response'), 2),
  measureColumn(3, t('high_fragmentation'), 3),
  countColumn('evictions', t('evictions'), 3),
  countColumn('slow_operations', t('slow'), 3),
];

function Content({ data, range, reload }: { data: CacheData; range: TimeRange; reload: () => void }) {
  const { query } = useCell(route);
  const [isEditing, setEditing] = useState(false);
  if (data.caches.length === 0) return <Card><Empty>{t('none')}</Empty></Card>;
  const filter = filterOf(query);
  const only = data.caches.find((row) => cacheId(row) === query.get('cache'));
  const rows = data.caches.filter((row) => passes(cacheLabel(row), filter))
    .sort((a, b) => severity(a.status) - severity(b.status));
  const choose = (row: CacheRow | null): void => setParams({ cache: row && row !== only ? cacheId(row) : null });
  return (
    <div class="grid">
      {MEASURES.map((measure) => <Tile key={measure.limit} rows={only ? [only] : data.caches} measure={measure} />)}
      {only && (
        <p class="span-12 summary">
          <b>{t('only', { cache: cacheLabel(only) })}</b>
          <button type="button" class="button" onClick={() => choose(null)}>{t('showAll')}</button>
        </p>
      )}
      <ChartCards cards={cardsOf(range, only, data.caches)} />
      <Card
        span={12} isFlush title={t('caches')}
        actions={(
          <>
            <Filter value={filter} onChange={setFilter} found={rows.length} total={data.caches.length} />
            {isAdmin() && <button type="button" class="button" onClick={() => setEditing(true)}>{t('editLimits')}</button>}
          </>
        )}
      >
        <Table caption={t('caches')} columns={columnsOf(choose)} rows={rows} id={cacheId} sortParam="sort" onRow={choose} />
      </Card>
      <LimitsDrawer
        caches={data.caches} thresholds={data.thresholds} isOpen={isEditing} onClose={() => setEditing(false)}
        onSaved={() => { setEditing(false); reload(); }}
      />
    </div>
  );
}

function View() {
  const loaded = useApi<CacheData>(apiPath('v1/cache'));
  const range = rangeOf(useCell(route).query);
  return <Load loaded={loaded}>{(data) => <Content data={data} range={range} reload={loaded.reload} />}</Load>;
}

export const cache: Page = { id: 'cache', title: () => t('title'), icon: 'cache', group: 'resources', View, needsMetric: 'sonde_cache_hits_total' };
