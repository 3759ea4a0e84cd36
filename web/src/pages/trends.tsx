// How resources went over weeks: average in a band from minimum to maximum, against the limit; all of them
// in a table.
import { HistoryChart } from '../chart/history_chart';
import { Spark } from '../chart/small';
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { useCell } from '../lib/cell';
import { duration, format, NONE, signed } from '../lib/fmt';
import { useHistory, type Column as Values } from '../lib/history';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf, rangeParams, rangeSeconds, type TimeRange } from '../lib/range';
import { statusClass, type Status } from '../lib/status';
import type { SparkTimes } from '../lib/types';
import { Card } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

const t = strings(
  {
    title: 'Trends', resource: 'Resource', storage: 'Sonde storage', change: 'Change', limitOf: 'limit {value}', band: 'band: minimum to maximum of a step',
    lead: '{name} is at {value}', toLimit: '{value} below its limit of {limit}', overLimit: 'above its limit of {limit}', range: 'between {min} and {max} in {time}',
    none: 'No resource has samples in this range.', all: 'All resources', memoryOf: 'Memory of {name}',
  },
  {
    title: 'Тренды', resource: 'Ресурс', storage: 'Хранилище Sonde', change: 'Изменение', limitOf: 'лимит {value}', band: 'полоса: от минимума до максимума за шаг',
    lead: '{name}: сейчас {value}', toLimit: 'на {value} ниже лимита {limit}', overLimit: 'выше лимита {limit}', range: 'от {min} до {max} за {time}',
    none: 'В этом интервале нет отсчётов ни одного ресурса.', all: 'Все ресурсы', memoryOf: 'Память {name}',
  },
);

interface Resource {
  id: string;
  kind: 'disk' | 'memory' | 'cpu' | 'storage' | 'service_memory';
  name: string;
  host: string | null;
  unit: 'ratio' | 'bytes';
  current: number | null;
  average: number | null;
  min: number | null;
  max: number | null;
  limit: number | null;
  query: string;
  spark: Values;
}

interface TrendsData { time: number; spark: SparkTimes; resources: Resource[] }

/** Trends are about weeks. */
const USUAL_RANGE = '30d';
const NEAR_LIMIT = 0.9;

function nameOf({ kind, name, host }: Resource): string {
  const place = host ? ` · ${host}` : '';
  if (kind === 'disk') return `${common('disk')} ${name}${place}`;
  if (kind === 'cpu') return `${common('cpu')}${place || ` · ${name}`}`;
  if (kind === 'memory') return `${common('memory')}${place || ` · ${name}`}`;
  return kind === 'storage' ? t('storage') : t('memoryOf', { name });
}

function statusOf({ current, limit }: Resource): Status | null {
  if (current === null || limit === null) return null;
  return current >= limit ? 'critical' : current >= limit * NEAR_LIMIT ? 'warning' : null;
}

/** From the first to the last value of the spark. */
function changeOf({ spark }: Resource): number | null {
  const known = spark.filter((value) => value !== null);
  return known.length > 1 ? known[known.length - 1] - known[0] : null;
}

function changeText(resource: Resource): string {
  const change = changeOf(resource);
  return change === null ? NONE : signed(change, resource.unit);
}

function Lead({ resource, range }: { resource: Resource; range: TimeRange }) {
  const { current, limit, min, max, unit } = resource;
  const parts = [t('range', { min: format(min, unit), max: format(max, unit), time: duration(rangeSeconds(range)) })];
  if (limit !== null && current !== null)
    parts.unshift(current < limit ? t('toLimit', { value: format(limit - current, unit), limit: format(limit, unit) }) : t('overLimit', { limit: format(limit, unit) }));
  return <p class="lead"><b class={statusClass(statusOf(resource))}>{t('lead', { name: nameOf(resource), value: format(current, unit) })}</b>, {parts.join(', ')}.</p>;
}

/** Below a ratio that stays high there is nothing to see: the axis begins near the data. */
const axisStart = ({ unit, min }: Resource): number | undefined => (unit === 'ratio' && min !== null && min > 0.3 ? Math.floor(min * 7.5) / 10 : undefined);

function Chart({ resource, range }: { resource: Resource; range: TimeRange }) {
  const loaded = useHistory({ trend: resource.query }, range);
  const { limit, unit } = resource;
  return (
    <Load loaded={loaded}>
      {(history) => (
        <HistoryChart
          title={nameOf(resource)} note={t('band')} unit={unit} height={260} min={axisStart(resource)} history={history} range={range}
          parts={[{ id: 'trend', query: resource.query, label: () => common('average').toLowerCase() }]}
          thresholds={limit === null ? undefined : [{ value: limit, status: 'critical', label: t('limitOf', { value: format(limit, unit) }) }]}
        />
      )}
    </Load>
  );
}

function columns(chosen: string, onChoose: (id: string) => void): Column<Resource>[] {
  return [
    {
      key: 'name', head: t('resource'), sort: nameOf,
      cell: (row) => <button type="button" class="link-button strong" aria-pressed={row.id === chosen} onClick={() => onChoose(row.id)}>{nameOf(row)}</button>,
    },
    { key: 'trend', head: common('trend'), isHeadHidden: true, priority: 2, width: 140, cell: (row) => <Spark values={row.spark} width={120} max={row.limit ?? undefined} threshold={row.limit ?? undefined} /> },
    { key: 'current', head: common('current'), isNumber: true, sort: (row) => row.current, cell: (row) => <span class={statusClass(statusOf(row))}>{format(row.current, row.unit)}</span> },
    { key: 'change', head: t('change'), isNumber: true, sort: changeOf, cell: changeText },
    { key: 'min', head: common('minimum'), isNumber: true, priority: 2, sort: (row) => row.min, cell: (row) => format(row.min, row.unit) },
    { key: 'average', head: common('average'), isNumber: true, priority: 2, sort: (row) => row.average, cell: (row) => format(row.average, row.unit) },
    { key: 'max', head: common('maximum'), isNumber: true, priority: 2, sort: (row) => row.max, cell: (row) => format(row.max, row.unit) },
    { key: 'limit', head: common('limit'), isNumber: true, priority: 2, sort: (row) => row.limit, cell: (row) => format(row.limit, row.unit) },
  ];
}

function View() {
  const { query } = useCell(route);
  const range = rangeOf(query, USUAL_RANGE);
  const loaded = useApi<TrendsData>(apiPath('v1/trends', rangeParams(range)));
  const choose = (id: string): void => setParams({ resource: id }, 'replace');
  return (
    <Load loaded={loaded}>
      {({ resources }) => {
        const chosen = resources.find(({ id }) => id === query.get('resource')) ?? resources[0];
        if (!chosen) return <Card><Empty>{t('none')}</Empty></Card>;
        return (
          <div class="grid">
            <Card span={12}>
              <Lead resource={chosen} range={range} />
              <Chart resource={chosen} range={range} />
            </Card>
            <Card span={12} isFlush title={t('all')}>
              <Table caption={t('all')} columns={columns(chosen.id, choose)} rows={resources} id={({ id }) => id} sortParam="sort" onRow={({ id }) => choose(id)} />
            </Card>
          </div>
        );
      }}
    </Load>
  );
}

export const trends: Page = { id: 'trends', title: () => t('title'), icon: 'trends', group: 'plan', View, key: 't', usualRange: USUAL_RANGE };
