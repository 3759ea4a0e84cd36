// What the data takes, how long it is kept, and which metrics have the most series.
import { useState } from 'preact/hooks';
import { useAction } from '../lib/action';
import { request } from '../lib/api';
import { ago, duration, format, integer, NONE, stamp } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href } from '../lib/nav';
import { largest, shareOf } from '../lib/usage_rules';
import { Bars } from '../chart/small';
import { Badge, Bar, Card, Code, KeyValues, Meter, Refusal } from '../ui/parts';
import { Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface StorageAnswer {
  time: number; engine: string; series: number; segments: number; bytes: number; segment_bytes: number; rollup_bytes: number; log_bytes: number; head_bytes: number;
  samples: number; bytes_per_sample: number | null; samples_per_second: number | null; oldest: number | null; newest: number | null; retention: string;
  retention_seconds: number | null; data_filesystem?: { size_bytes: number; available_bytes: number } | null; last_backup_at: number | null;
  records: { engine: string; is_away: boolean; queued: number; last_error: string } | null; started_at: number; version: string;
}
interface Metric { name: string; series: number; widest_label: string | null; widest_values: number | null }
interface Label { name: string; values: number; series: number; bytes: number }
interface Cardinality { series: number; label_pairs: number; label_names: number; metrics: Metric[]; labels: Label[]; created_by_hour: { at: number; count: number }[] }

const t = strings(
  {
    storage: 'Storage', ofDisk: 'of {size} on this disk', series: 'Series', perSecond: 'Samples/s', perSample: 'Bytes per sample', lastBackup: 'Last backup', never: 'never', oldest: 'Oldest sample',
    backUp: 'Back up now', backedUp: 'The copy is a data directory on the server:', parts: 'What takes the space', part: 'Part', size: 'Size', segments: 'Segments ({n})', rollups: 'Rollups', log: 'Log', head: 'In memory',
    retention: 'Retention', kept: 'Samples are kept for', changed: 'Set in the configuration: storage.retention, retention_rules, retention_size.', cardinality: 'Metrics with most series', metric: 'Metric', widest: 'Widest label', labels: 'Labels with most values',
    label: 'Label', values: 'Values', created: 'New series per hour, last 24 h', away: 'The database is away; {n} writes wait', version: 'Version', started: 'Running for', disk: 'Disk',
  },
  {
    storage: 'Хранилище', ofDisk: 'из {size} на этом диске', series: 'Рядов', perSecond: 'Отсчётов/с', perSample: 'Байт на отсчёт', lastBackup: 'Последняя копия', never: 'не было', oldest: 'Старейший отсчёт',
    backUp: 'Сделать копию', backedUp: 'Копия — каталог данных на сервере:', parts: 'Что занимает место', part: 'Часть', size: 'Размер', segments: 'Сегменты ({n})', rollups: 'Сводки', log: 'Журнал записи', head: 'В памяти',
    retention: 'Хранение', kept: 'Отсчёты хранятся', changed: 'Задаётся в конфигурации: storage.retention, retention_rules, retention_size.', cardinality: 'Метрики с наибольшим числом рядов', metric: 'Метрика', widest: 'Самая широкая метка', labels: 'Метки с наибольшим числом значений',
    label: 'Метка', values: 'Значений', created: 'Новых рядов в час за 24 ч', away: 'База недоступна; ждут записи: {n}', version: 'Версия', started: 'Работает', disk: 'Диск',
  },
);

function Backup() {
  const [path, setPath] = useState('');
  const { message, isBusy, run } = useAction();
  const backUp = async (): Promise<void> => setPath((await request<{ path: string }>('api/v1/admin/tsdb/snapshot', { method: 'POST' })).path);
  return (
    <>
      <div class="form-actions"><button type="button" class="button" disabled={isBusy} onClick={() => void run(backUp)}>{t('backUp')}</button></div>
      <Refusal>{message}</Refusal>
      {path && <div role="status"><p class="muted">{t('backedUp')}</p><Code>{path}</Code></div>}
    </>
  );
}

function Facts({ data }: { data: StorageAnswer }) {
  const facts: [string, string][] = [
    [t('series'), integer(data.series)], [t('perSecond'), format(data.samples_per_second)], [t('perSample'), format(data.bytes_per_sample)],
    [t('oldest'), data.oldest === null ? NONE : stamp(data.oldest)], [t('lastBackup'), data.last_backup_at === null ? t('never') : ago(data.last_backup_at, data.time)],
    [t('version'), data.version], [t('started'), duration(Math.max(0, data.time - data.started_at))],
  ];
  return <KeyValues facts={facts} />;
}

function Size({ data }: { data: StorageAnswer }) {
  const disk = data.data_filesystem ?? null;
  const used = disk && (disk.size_bytes - disk.available_bytes) / disk.size_bytes;
  const records = data.records;
  return (
    <Card span={5} title={t('storage')} actions={<Badge status={records?.is_away ? 'critical' : 'good'} text={records?.engine === 'postgres' ? 'PostgreSQL' : 'SQLite'} />}>
      <div class="health-value">{format(data.bytes, 'bytes')} {disk && <small>{t('ofDisk', { size: format(disk.size_bytes, 'bytes') })}</small>}</div>
      {used !== null && <Meter value={used} label={`${t('disk')}: ${format(used, 'ratio')}`} warning={0.9} critical={0.95} />}
      {records?.is_away && <p class="refusal">{t('away', { n: records.queued })} {records.last_error}</p>}
      <Facts data={data} />
      <Backup />
    </Card>
  );
}

interface Part { name: string; bytes: number }
function Parts({ data }: { data: StorageAnswer }) {
  const parts: Part[] = [
    { name: t('segments', { n: data.segments }), bytes: data.segment_bytes }, { name: t('rollups'), bytes: data.rollup_bytes },
    { name: t('log'), bytes: data.log_bytes }, { name: t('head'), bytes: data.head_bytes },
  ];
  const most = largest(parts.map((part) => part.bytes));
  const columns: Column<Part>[] = [
    { key: 'part', head: t('part'), cell: (row) => row.name },
    { key: 'size', head: t('size'), isNumber: true, cell: (row) => format(row.bytes, 'bytes') },
    { key: 'bar', head: t('size'), isHeadHidden: true, width: 160, cell: (row) => <Bar ratio={shareOf(row.bytes, most)} /> },
  ];
  return (
    <Card span={7} isFlush title={t('parts')}>
      <Table caption={t('parts')} id={(row) => row.name} rows={parts} columns={columns} />
      <div class="padded">
        <h3>{t('retention')}</h3>
        <p>{t('kept')} <b>{data.retention_seconds === null ? data.retention : duration(data.retention_seconds)}</b>.</p>
        <p class="muted">{t('changed')}</p>
      </div>
    </Card>
  );
}

const exploreMetric = (name: string): string => href('explore', '', { q: `{__name__=${JSON.stringify(name)}}` });
const metricColumns = (): Column<Metric>[] => [
  { key: 'metric', head: t('metric'), sort: (row) => row.name, cell: (row) => <a href={exploreMetric(row.name)}><code>{row.name}</code></a> },
  { key: 'series', head: t('series'), isNumber: true, sort: (row) => row.series, cell: (row) => integer(row.series) },
  { key: 'widest', head: t('widest'), priority: 2, cell: (row) => (row.widest_label ? <><code>{row.widest_label}</code> <span class="muted">{integer(row.widest_values ?? 0)}</span></> : NONE) },
];
const labelColumns = (): Column<Label>[] => [
  { key: 'label', head: t('label'), sort: (row) => row.name, cell: (row) => <code>{row.name}</code> },
  { key: 'values', head: t('values'), isNumber: true, sort: (row) => row.values, cell: (row) => integer(row.values) },
  { key: 'series', head: t('series'), isNumber: true, priority: 2, sort: (row) => row.series, cell: (row) => integer(row.series) },
];

const HOURS = 24;
/** Hours that are not known yet count as none: one bar is an hour, always. */
const lastHours = (hours: { count: number }[]): number[] =>
  [...Array<number>(HOURS).fill(0), ...hours.map((hour) => hour.count)].slice(-HOURS);

export function Storage() {
  const storage = useApi<StorageAnswer>('api/v1/admin/storage');
  const cardinality = useApi<Cardinality>('api/v1/admin/cardinality?limit=20', false);
  return (
    <div class="rows">
      <Load loaded={storage}>{(data) => <div class="grid"><Size data={data} /><Parts data={data} /></div>}</Load>
      <Load loaded={cardinality}>
        {(data) => (
          <div class="grid">
            <Card span={7} isFlush title={t('cardinality')} actions={<><small class="muted">{t('created')}</small><Bars values={lastHours(data.created_by_hour)} width={110} label={t('created')} /></>}><Table caption={t('cardinality')} id={(row) => row.name} rows={data.metrics} columns={metricColumns()} sortParam="sort" /></Card>
            <Card span={5} isFlush title={t('labels')}>
              <Table caption={t('labels')} id={(row) => row.name} rows={data.labels} columns={labelColumns()} sortParam="labels" />
            </Card>
          </div>
        )}
      </Load>
    </div>
  );
}

