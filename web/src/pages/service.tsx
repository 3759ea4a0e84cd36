// One service: figures, throughput, latency, its distribution, operations, the slowest, errors.
import { useState } from 'preact/hooks';
import { Heatmap } from '../chart/heat';
import { Spark } from '../chart/small';
import { common } from '../i18n/common';
import { useAction } from '../lib/action';
import { apiPath, request } from '../lib/api';
import { useCell } from '../lib/cell';
import { passes } from '../lib/filter';
import { ago, duration, format, integer, NONE, stamp } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href, route } from '../lib/nav';
import { rangeOf, rangeParams } from '../lib/range';
import { isAdmin } from '../lib/session';
import { statusClass } from '../lib/status';
import type { ErrorRow, OperationRow, ServiceData, SlowRow } from '../lib/types';
import { Dialog } from '../ui/dialog';
import { Badge, Card, Filter, Refusal, Stat, Stats } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';
import { ServiceCharts } from './service_charts';
import { errorStatus } from './service_columns';

const t = strings(
  {
    uptime: 'Up for {time}', lastSeen: 'Last sample {ago}', totalOperations: 'Total operations', totalErrors: 'Total errors', since: 'since {time}',
    distribution: 'Latency distribution', noDistribution: 'No operation ended in this range.', lastError: 'Last error', slowest: 'Slowest operations',
    timesAverage: '× average', lastRun: 'Last run', noErrors: 'No errors seen.', message: 'Message', reset: 'Reset metrics',
    resetTitle: 'Reset the metrics of {name}?', resetText: 'Counts start from zero. History stays, charts are not changed.', resetFailed: 'Not reset: {why}',
    shown: 'The first {n} of {total} operations.', noOperations: 'This service has no operations.',
  },
  {
    uptime: 'Работает {time}', lastSeen: 'Последний отсчёт {ago}', totalOperations: 'Всего операций', totalErrors: 'Всего ошибок', since: 'с {time}',
    distribution: 'Распределение задержек', noDistribution: 'В этом интервале операции не завершались.', lastError: 'Последняя ошибка', slowest: 'Самые медленные',
    timesAverage: '× среднее', lastRun: 'Посл. запуск', noErrors: 'Ошибок не было.', message: 'Сообщение', reset: 'Сбросить метрики',
    resetTitle: 'Сбросить метрики {name}?', resetText: 'Счётчики начнутся с нуля. История остаётся, графики не меняются.', resetFailed: 'Не сброшено: {why}',
    shown: 'Первые {n} из {total} операций.', noOperations: 'У этого сервиса нет операций.',
  },
);

type Durations = 'min_seconds' | 'average_seconds' | 'p50_seconds' | 'p95_seconds' | 'p99_seconds' | 'max_seconds';

function operationColumns(now: number): Column<OperationRow>[] {
  const durations: [Durations, string][] = [
    ['min_seconds', common('minimum')], ['average_seconds', common('average')], ['p50_seconds', 'p50'], ['p95_seconds', 'p95'],
    ['p99_seconds', 'p99'], ['max_seconds', common('maximum')],
  ];
  return [
    { key: 'name', head: common('operation'), sort: (row) => row.name, cell: (row) => <code>{row.name}</code> },
    { key: 'count', head: common('count'), isNumber: true, priority: 3, sort: (row) => row.count, cell: (row) => <span title={integer(row.count)}>{format(row.count)}</span> },
    { key: 'operations_per_second', head: common('perSecond'), isNumber: true, priority: 2, sort: (row) => row.operations_per_second, cell: (row) => format(row.operations_per_second) },
    {
      key: 'error_ratio', head: common('errors'), isNumber: true, sort: (row) => row.error_ratio,
      cell: (row) => <span class={statusClass(errorStatus(row.error_ratio))}>{format(row.error_ratio, 'ratio')}</span>,
    },
    ...durations.map(([key, head]): Column<OperationRow> => ({
      key, head, isNumber: true, priority: key === 'p95_seconds' ? undefined : 2, sort: (row) => row[key], cell: (row) => format(row[key], 'seconds'),
    })),
    { key: 'trend', head: common('trend'), isHeadHidden: true, priority: 3, cell: (row) => <Spark values={row.average_spark} width={72} color="--series-2" /> },
    {
      key: 'last_error', head: t('lastError'), priority: 2, class: 'wide', sort: (row) => row.last_error?.at,
      cell: ({ last_error: error }) => (error
        ? <span class="cut" title={`${stamp(error.at)}\n${error.class}: ${error.message}`}><small>{ago(error.at, now)}</small> {error.message || error.class}</span>
        : <span class="faint">{NONE}</span>),
    },
  ];
}

function Operations({ data }: { data: ServiceData }) {
  const [filter, setFilter] = useState('');
  const shown = data.operations.filter(({ name }) => passes(name, filter));
  return (
    <Card span={12} isFlush title={common('operations')} actions={<Filter value={filter} onChange={setFilter} found={shown.length} total={data.operations.length} />}>
      <Table
        caption={common('operations')} columns={operationColumns(data.time)} rows={shown} id={({ name }) => name} sortParam="sort"
        empty={data.operations.length === 0 ? t('noOperations') : undefined}
      />
      {data.operations_total > data.operations.length && (
        <p class="table-foot">{t('shown', { n: integer(data.operations.length), total: integer(data.operations_total) })}</p>
      )}
    </Card>
  );
}

const ratioOf = (row: SlowRow): number | null => (row.max_seconds !== null && row.average_seconds ? row.max_seconds / row.average_seconds : null);

const slowColumns = (now: number): Column<SlowRow>[] => [
  { key: 'name', head: common('operation'), cell: (row) => <code>{row.name}</code> },
  { key: 'max', head: common('maximum'), isNumber: true, cell: (row) => format(row.max_seconds, 'seconds') },
  { key: 'ratio', head: t('timesAverage'), isNumber: true, priority: 2, cell: (row) => format(ratioOf(row)) },
  { key: 'last', head: t('lastRun'), isNumber: true, cell: (row) => ago(row.last_at, now) },
];

const errorColumns = (now: number): Column<ErrorRow>[] => [
  { key: 'operation', head: common('operation'), cell: (row) => <code>{row.operation}</code> },
  { key: 'class', head: common('errorClass'), priority: 2, cell: (row) => row.class },
  { key: 'message', head: t('message'), class: 'wide', cell: (row) => <span class="cut" title={row.message}>{row.message || row.class}</span> },
  { key: 'at', head: common('lastSeen'), isNumber: true, cell: (row) => <span title={stamp(row.at)}>{ago(row.at, now)}</span> },
];

function ResetButton({ name, onDone }: { name: string; onDone: () => void }) {
  const [isOpen, setOpen] = useState(false);
  const { message, setMessage, run } = useAction(({ message: why }) => t('resetFailed', { why }));
  const reset = async (): Promise<void> => {
    await request(`api/v1/services/${encodeURIComponent(name)}/reset`, { method: 'POST' });
    setOpen(false);
    onDone();
  };
  return (
    <>
      <button type="button" class="button" onClick={() => { setMessage(''); setOpen(true); }}>{t('reset')}</button>
      <Dialog isOpen={isOpen} onClose={() => setOpen(false)} title={t('resetTitle', { name })}>
        <p>{t('resetText')}</p>
        <Refusal>{message}</Refusal>
        <div class="form-actions">
          <button type="button" class="button danger" onClick={() => void run(reset)}>{t('reset')}</button>
          <button type="button" class="button" onClick={() => setOpen(false)}>{common('cancel')}</button>
        </div>
      </Dialog>
    </>
  );
}

function Head({ data, onReset }: { data: ServiceData; onReset: () => void }) {
  const { service } = data;
  return (
    <div class="page-head">
      <Badge status={service.status} />
      {service.status === 'unknown' ? <span>{t('lastSeen', { ago: ago(service.seen_at, data.time) })}</span>
        : service.uptime_seconds !== null && <span>{t('uptime', { time: duration(service.uptime_seconds) })}</span>}
      <span class="spring" />
      <a class="button" href={href('errors', '', { q: service.name })}>{common('errors')}</a>
      {isAdmin() && <ResetButton name={service.name} onDone={onReset} />}
    </div>
  );
}

function Figures({ data }: { data: ServiceData }) {
  const { service, window, totals } = data;
  const since = totals.reset_at ?? totals.since;
  const sinceText = since === null ? undefined : t('since', { time: stamp(since) });
  return (
    <Stats>
      <Stat label={common('perSecond')} value={format(window.operations_per_second)} />
      <Stat label={common('errors')} value={format(window.error_ratio, 'ratio')} status={errorStatus(window.error_ratio)} />
      <Stat label="p50" value={format(window.p50_seconds, 'seconds')} />
      <Stat label="p95" value={format(window.p95_seconds, 'seconds')} />
      <Stat label="p99" value={format(window.p99_seconds, 'seconds')} />
      <Stat label={common('active')} value={integer(service.active)} />
      <Stat label={t('totalOperations')} value={<span title={`${integer(totals.count)} ${sinceText ?? ''}`}>{format(totals.count)}</span>} />
      <Stat label={t('totalErrors')} value={<span title={`${integer(totals.errors)} ${sinceText ?? ''}`}>{format(totals.errors)}</span>} />
    </Stats>
  );
}

export function Service({ name }: { name: string }) {
  const range = rangeOf(useCell(route).query);
  const loaded = useApi<ServiceData>(apiPath(`v1/services/${encodeURIComponent(name)}`, rangeParams(range)));
  return (
    <Load loaded={loaded}>
      {(data) => (
        <>
          <Head data={data} onReset={loaded.reload} />
          <Figures data={data} />
          <div class="grid">
            <ServiceCharts name={name} range={range} />
            <Card span={4}><Heatmap title={t('distribution')} data={data.heatmap} height={192} empty={t('noDistribution')} /></Card>
            <Operations data={data} />
            <Card span={6} isFlush title={t('slowest')}>
              <Table caption={t('slowest')} columns={slowColumns(data.time)} rows={data.slowest} id={(row) => row.name} empty={common('nothing')} />
            </Card>
            <Card span={6} isFlush title={common('errors')}>
              {data.errors.length === 0 ? <Empty>{t('noErrors')}</Empty>
                : <Table caption={common('errors')} columns={errorColumns(data.time)} rows={data.errors} id={(row) => `${row.operation} ${row.at} ${row.class}`} />}
            </Card>
          </div>
        </>
      )}
    </Load>
  );
}
