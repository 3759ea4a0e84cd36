// Is anything wrong, where, since when: counts, health, services worst first, errors, hosts.
import { useState } from 'preact/hooks';
import { Bars } from '../chart/small';
import { ChartCards } from '../chart/page_charts';
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { useCell } from '../lib/cell';
import { passes } from '../lib/filter';
import { difference, format, integer, type Unit } from '../lib/fmt';
import { plurals, strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { go, href, route } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf, rangeParams, type TimeRange } from '../lib/range';
import type { Status } from '../lib/status';
import type { HealthTile, OverviewData } from '../lib/types';
import { Badge, Card, Filter, Zones } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table } from '../ui/table';
import { FirstRun } from './first_run';
import { hostCards } from './host_parts';
import { serviceColumns } from './service_columns';
import { ServiceCharts } from './service_charts';

const t = strings(
  {
    title: 'Overview', critical: '{n} critical', warning: '{n} warning', unknown: '{n} no data',
    success_rate: 'Success rate', average_time_seconds: 'Avg time per job', queue_depth: 'Queue depth', refund_rate: 'Refund rate',
    errors: 'Errors, last 24 h', noErrors: 'No errors reported by applications.', operationErrors: '{n} failed operations', isNew: 'New',
    worst: 'The worst {n} of {total}.', allServices: 'All services', noServices: 'No service reports operations yet.', versus: 'against the 24 h before',
  },
  {
    title: 'Обзор', critical: '{n} критично', warning: '{n} внимание', unknown: '{n} нет данных',
    success_rate: 'Доля успешных', average_time_seconds: 'Среднее время задачи', queue_depth: 'Глубина очереди', refund_rate: 'Доля возвратов',
    errors: 'Ошибки за 24 ч', noErrors: 'Приложения не сообщали об ошибках.', operationErrors: 'неудачных операций: {n}', isNew: 'Новая',
    worst: 'Худшие {n} из {total}.', allServices: 'Все сервисы', noServices: 'Сервисы пока не сообщали об операциях.', versus: 'к предыдущим 24 ч',
  },
);
const countHealthy = plurals(
  { one: '{n} service healthy', other: '{n} services healthy' },
  { one: '{n} сервис в норме', few: '{n} сервиса в норме', many: '{n} сервисов в норме', other: '{n} сервиса в норме' },
);

function Summary({ services }: Pick<OverviewData, 'services'>) {
  const { counts } = services;
  const bad: Exclude<Status, 'good'>[] = ['critical', 'warning', 'unknown'];
  return (
    <p class="summary">
      <b>{countHealthy(counts.good)}</b>
      {bad.filter((status) => counts[status] > 0).map((status) => <Badge key={status} status={status} text={t(status, { n: counts[status] })} />)}
    </p>
  );
}

const TILE_UNITS: Record<HealthTile['unit'], Unit> = { ratio: 'ratio', seconds: 'seconds', count: 'number' };

function Health({ tile }: { tile: HealthTile }) {
  const unit = TILE_UNITS[tile.unit];
  const value = tile.value ?? 0;
  const change = tile.previous === null ? null : value - tile.previous;
  const isBetter = change !== null && change > 0 === tile.higher_is_better;
  const color = change === null || tile.health === 'good' ? '' : isBetter ? 'text-good' : `text-${tile.health}`;
  return (
    <Card class="health">
      <div class="health-head"><span class="health-name">{t(tile.name)}</span><Badge status={tile.health} /></div>
      <div class="health-value">
        {format(tile.value, unit)} {change !== null && <small class={color} title={t('versus')}>{difference(change, unit)}</small>}
      </div>
      <Zones value={value} good={tile.good} critical={tile.critical} higherIsBetter={tile.higher_is_better} text={(limit) => format(limit, unit)} />
    </Card>
  );
}

function Services({ data }: { data: OverviewData }) {
  const [filter, setFilter] = useState('');
  const { rows, total } = data.services;
  const shown = filter ? rows.filter(({ name }) => passes(name, filter)) : rows;
  return (
    <Card
      span={9} isFlush title={<a href={href('services')}>{common('services')}</a>}
      actions={<Filter value={filter} onChange={setFilter} found={shown.length} total={rows.length} />}
    >
      {total === 0 ? <Empty>{t('noServices')}</Empty> : (
        <Table
          caption={common('services')} columns={serviceColumns(data.time, false)} rows={shown} id={({ name }) => name} sortParam="sort"
          onRow={({ name }) => go('services', name)}
        />
      )}
      {total > rows.length && (
        <p class="table-foot">{t('worst', { n: rows.length, total: integer(total) })} <a class="link-button" href={href('services')}>{t('allServices')}</a></p>
      )}
    </Card>
  );
}

function Errors({ errors }: Pick<OverviewData, 'errors'>) {
  const { operation_errors: operationErrors, classes } = errors;
  return (
    <Card isFlush title={<a href={href('errors')}>{t('errors')}</a>} actions={errors.count > 0 && <span class="pill">{format(errors.count)}</span>}>
      {classes.length === 0 && <Empty>{t('noErrors')}</Empty>}
      <ul class="error-list">
        {classes.map((one) => (
          <li key={one.error_type}>
            <a href={href('errors', '', { q: one.error_type })}>
              <code>{one.error_type}</code>
              {one.is_new && <span class="new-mark">{t('isNew')}</span>}
              <Bars values={one.hours} width={56} height={16} />
              <b>{format(one.count)}</b>
            </a>
          </li>
        ))}
      </ul>
      {operationErrors !== null && operationErrors > 0 && <p class="table-foot">{t('operationErrors', { n: format(operationErrors) })}</p>}
    </Card>
  );
}

function Content({ data, range }: { data: OverviewData; range: TimeRange }) {
  const { services } = data;
  if (services.total === 0 && !services.has_data) return <FirstRun />;
  const tiles = data.health.filter(({ value }) => value !== null);
  return (
    <>
      {services.total > 0 && <Summary services={services} />}
      <div class="grid">
        {tiles.length > 0 && <div class="tiles">{tiles.map((tile) => <Health key={tile.name} tile={tile} />)}</div>}
        {services.total === 1 && <ServiceCharts name={services.rows[0].name} range={range} />}
        <Services data={data} />
        <div class="span-3 stack"><Errors errors={data.errors} /></div>
        <ChartCards cards={hostCards(range, { span: 4, height: 132 }, common('disk'))} />
      </div>
    </>
  );
}

function View() {
  const range = rangeOf(useCell(route).query);
  const loaded = useApi<OverviewData>(apiPath('v1/overview', rangeParams(range)));
  return <Load loaded={loaded}>{(data) => <Content data={data} range={range} />}</Load>;
}

export const overview: Page = { id: 'overview', title: () => t('title'), icon: 'overview', group: 'main', View, key: 'o' };
