// Caches against their thresholds: hit rate, memory, response time, fragmentation.
import { useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { request } from '../lib/api';
import { criticalLimit, judge, MEASURES, MIB, nameOf, worstOf, type CacheRow, type Measure, type Thresholds } from '../lib/cache_rules';
import { format, integer } from '../lib/fmt';
import { rateWindow, type Labels } from '../lib/history';
import { strings } from '../lib/lang';
import { refresh } from '../lib/live';
import { useApi } from '../lib/load';
import type { Page } from '../lib/page';
import { isAdmin } from '../lib/session';
import { PageChart, useCharts, usePageRange } from '../chart/page_charts';
import { Dialog } from '../ui/dialog';
import { Badge, Card, Field, StatusMark, Zones } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface Answer { time: number; thresholds: Thresholds; caches: CacheRow[] }

const t = strings(
  {
    cache: 'Cache', caches: 'Caches', hitRate: 'Hit rate', memory: 'Memory used', response: 'Response time', fragmentation: 'Fragmentation', thresholds: 'Alert thresholds',
    hour: 'Last hour', day: 'Last day', entries: 'Entries', peak: 'Peak', evictions: 'Evictions', slow: 'Slow', hits: 'hits', misses: 'misses', evicted: 'evicted', lookups: 'Lookups',
    worst: 'worst of {n}: {name}', minHitRate: 'Lowest hit rate, 0 to 1', maxMemory: 'Most memory, MiB', maxResponse: 'Longest response, ms', maxFragmentation: 'Highest fragmentation, 0 to 1',
    forAll: 'For all caches without thresholds of their own', which: 'For', none: 'No cache reports yet. In C: sonde_cache_get(NULL, "my-service", "my-cache").',
  },
  {
    cache: 'Кеш', caches: 'Кеши', hitRate: 'Доля попаданий', memory: 'Занято памяти', response: 'Время отклика', fragmentation: 'Фрагментация', thresholds: 'Пороги оповещений',
    hour: 'За час', day: 'За день', entries: 'Записей', peak: 'Пик', evictions: 'Вытеснения', slow: 'Медленных', hits: 'попадания', misses: 'промахи', evicted: 'вытеснено', lookups: 'Обращения',
    worst: 'худший из {n}: {name}', minHitRate: 'Наименьшая доля попаданий, 0–1', maxMemory: 'Наибольшая память, МиБ', maxResponse: 'Наибольший отклик, мс', maxFragmentation: 'Наибольшая фрагментация, 0–1',
    forAll: 'Все кеши без своих порогов', which: 'Для', none: 'Ни один кеш ещё не сообщает. На C: sonde_cache_get(NULL, "my-service", "my-cache").',
  },
);

function Tile({ measure, rows }: { measure: Measure; rows: CacheRow[] }) {
  const row = worstOf(measure, rows);
  const value = row && measure.value(row);
  if (!row || value === null) return null;
  const limit = measure.limit(row.thresholds);
  return (
    <Card span={3} class="health">
      <div class="health-head"><span>{t(measure.key)}</span><Badge status={judge(measure, row)} /></div>
      <div class="health-value">{measure.text(value)}</div>
      <Zones value={value} good={limit} critical={criticalLimit(measure, limit)} higherIsBetter={measure.higherIsBetter} text={measure.text} />
      {rows.length > 1 && <small class="muted">{t('worst', { n: rows.length, name: nameOf(row) })}</small>}
    </Card>
  );
}

function judged(key: Measure['key'], row: CacheRow) {
  const measure = MEASURES.find((one) => one.key === key)!;
  const value = measure.value(row);
  const status = judge(measure, row);
  return <span class={status === 'warning' || status === 'critical' ? `text-${status}` : ''}>{value === null ? format(null) : measure.text(value)}</span>;
}

const columns = (): Column<CacheRow>[] => [
  { key: 'cache', head: t('cache'), sort: nameOf, cell: (row) => <span class="name-cell"><StatusMark status={row.status} /><span>{nameOf(row)}</span></span> },
  { key: 'hour', head: `${t('hitRate')} · ${t('hour').toLowerCase()}`, isNumber: true, sort: (row) => row.hit_ratio_hour, cell: (row) => judged('hitRate', row) },
  { key: 'day', head: t('day'), isNumber: true, priority: 2, sort: (row) => row.hit_ratio_day, cell: (row) => format(row.hit_ratio_day, 'ratio') },
  { key: 'rate', head: common('perSecond'), isNumber: true, sort: (row) => lookups(row), cell: (row) => format(lookups(row)) },
  { key: 'entries', head: t('entries'), isNumber: true, priority: 2, sort: (row) => row.entries, cell: (row) => format(row.entries) },
  { key: 'memory', head: t('memory'), isNumber: true, sort: (row) => row.memory_bytes, cell: (row) => judged('memory', row) },
  { key: 'peak', head: t('peak'), isNumber: true, priority: 3, sort: (row) => row.memory_peak_bytes, cell: (row) => format(row.memory_peak_bytes, 'bytes') },
  { key: 'response', head: t('response'), isNumber: true, priority: 2, sort: (row) => row.response_average_seconds, cell: (row) => judged('response', row) },
  { key: 'fragmentation', head: t('fragmentation'), isNumber: true, priority: 3, sort: (row) => row.fragmentation_ratio, cell: (row) => judged('fragmentation', row) },
  { key: 'evictions', head: t('evictions'), isNumber: true, priority: 3, sort: (row) => row.evictions, cell: (row) => (row.evictions === null ? format(null) : integer(row.evictions)) },
  { key: 'slow', head: t('slow'), isNumber: true, priority: 2, sort: (row) => row.slow_operations, cell: (row) => (row.slow_operations === null ? format(null) : integer(row.slow_operations)) },
];

const lookups = (row: CacheRow): number | null =>
  row.hits_per_second === null ? null : row.hits_per_second + (row.misses_per_second ?? 0);

// ---- thresholds ----

const FIELDS = [['min_hit_rate', 'minHitRate'], ['max_memory_usage_mb', 'maxMemory'], ['max_response_time_ms', 'maxResponse'], ['max_fragmentation', 'maxFragmentation']] as const;

function ThresholdForm({ data, onClose }: { data: Answer; onClose: () => void }) {
  const [which, setWhich] = useState('');
  const chosen = data.caches.find((row) => `${row.service}/${row.cache}` === which);
  const [edited, setEdited] = useState<Partial<Record<keyof Thresholds, string>>>({});
  const [message, setMessage] = useState('');
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const values = Object.fromEntries(Object.entries(edited).map(([key, text]) => [key, Number(text)]));
    const of = chosen ? { service: chosen.service, cache: chosen.cache } : {};
    try {
      await request('api/v1/cache/thresholds', { method: 'PUT', body: { ...of, ...values } });
      refresh();
      onClose();
    } catch (error) {
      setMessage((error as Error).message);
    }
  };
  const current = chosen?.thresholds ?? data.thresholds;
  return (
    <form onSubmit={(event) => void save(event)}>
      <Field label={t('which')}>
        <select value={which} onChange={(event) => { setWhich(event.currentTarget.value); setEdited({}); }}>
          <option value="">{t('forAll')}</option>
          {data.caches.map((row) => <option key={nameOf(row)} value={`${row.service}/${row.cache}`}>{nameOf(row)}</option>)}
        </select>
      </Field>
      {FIELDS.map(([key, label]) => (
        <Field key={key} label={t(label)}>
          <input type="number" step="any" min="0" required value={edited[key] ?? String(current[key])} onInput={(event) => setEdited({ ...edited, [key]: event.currentTarget.value })} />
        </Field>
      ))}
      {message && <p class="refusal" role="alert">{message}</p>}
      <div class="form-actions">
        <button class="button primary" disabled={Object.keys(edited).length === 0}>{common('save')}</button>
        <button type="button" class="button" onClick={onClose}>{common('cancel')}</button>
      </div>
    </form>
  );
}

// ---- page ----

function Cache() {
  const loaded = useApi<Answer>('api/v1/cache');
  const [isEditing, setEditing] = useState(false);
  const window = rateWindow(usePageRange());
  const rate = (metric: string, by: string): string => `sum${by} (rate(sonde_cache_${metric}_total[${window}]))`;
  const charts = useCharts({
    ratio: `${rate('hits', ' by (service, cache)')} / (${rate('hits', ' by (service, cache)')} + ${rate('misses', ' by (service, cache)')})`,
    memory: 'sum by (service, cache) (sonde_cache_memory_bytes)',
    hits: rate('hits', ''), misses: rate('misses', ''), evictions: rate('evictions', ''),
    response: `sum by (service, cache) (rate(sonde_cache_response_seconds_sum[${window}])) / sum by (service, cache) (rate(sonde_cache_response_seconds_count[${window}]))`,
  });
  const label = (labels: Labels): string => nameOf({ service: labels.service, cache: labels.cache });
  const limit = loaded.data?.thresholds;
  const rows = loaded.data?.caches ?? [];
  return (
    <div class="grid">
      {MEASURES.map((measure) => <Tile key={measure.key} measure={measure} rows={rows} />)}
      <Card span={8}><PageChart title={t('hitRate')} unit="ratio" max={1} charts={charts} parts={[{ id: 'ratio', label: label }]} thresholds={limit && [{ value: limit.min_hit_rate, status: 'warning' }]} /></Card>
      <Card span={4}><PageChart title={t('memory')} unit="bytes" charts={charts} parts={[{ id: 'memory', label: label }]} thresholds={limit && [{ value: limit.max_memory_usage_mb * MIB, status: 'warning' }]} /></Card>
      <Card span={12} isFlush title={t('caches')} actions={isAdmin() && rows.length > 0 && <button type="button" class="button" onClick={() => setEditing(true)}>{t('thresholds')}</button>}>
        <Load loaded={loaded}>
          {(data) => <Table caption={t('caches')} id={nameOf} rows={data.caches} columns={columns()} sortParam="sort" empty={<Empty>{t('none')}</Empty>} />}
        </Load>
      </Card>
      <Card span={6}>
        <PageChart
          title={t('lookups')} unit="perSecond" charts={charts} isStacked
          parts={[{ id: 'hits', label: () => t('hits') }, { id: 'misses', label: () => t('misses') }, { id: 'evictions', label: () => t('evicted') }]}
        />
      </Card>
      <Card span={6}><PageChart title={t('response')} unit="seconds" charts={charts} parts={[{ id: 'response', label: label }]} thresholds={limit && [{ value: limit.max_response_time_ms / 1000, status: 'warning' }]} /></Card>
      <Dialog isOpen={isEditing} onClose={() => setEditing(false)} title={t('thresholds')} class="drawer">
        {loaded.data && <ThresholdForm data={loaded.data} onClose={() => setEditing(false)} />}
      </Dialog>
    </div>
  );
}

export const cache: Page = { id: 'cache', title: () => t('cache'), icon: 'cache', group: 'resources', View: Cache, needsMetric: 'sonde_cache_hits_total' };
