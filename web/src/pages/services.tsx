// All services, worst first; with a name in the address the page of one.
import { useMemo } from 'preact/hooks';
import { common, countServices } from '../i18n/common';
import { apiPath, request } from '../lib/api';
import { useCell } from '../lib/cell';
import { filterOf, passes, setFilter } from '../lib/filter';
import { integer } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useLoad } from '../lib/load';
import { go, route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf, rangeParams } from '../lib/range';
import { STATUSES, statusName, type Status } from '../lib/status';
import type { ServicesData, StatusCounts } from '../lib/types';
import { Mark } from '../ui/icons';
import { Card, Chips, Filter } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table } from '../ui/table';
import { Service } from './service';
import { serviceColumns } from './service_columns';

const t = strings(
  { title: 'Services', all: 'All services', none: 'No service reports operations yet.', worst: 'The worst {n} of {total}. A filter finds the others.' },
  { title: 'Сервисы', all: 'Все сервисы', none: 'Сервисы пока не сообщали об операциях.', worst: 'Худшие {n} из {total}. Остальные найдёт фильтр.' },
);

/** Rows of one answer of the server. */
const PAGE_ROWS = 200;
/** Rows that the browser sorts and filters itself; of more the server filters. */
const ROWS_MAX = 1000;

/** Ask page by page until all rows are there, or as many as we show. */
async function loadAll(params: Record<string, string | undefined>, signal: AbortSignal): Promise<ServicesData> {
  const first = await request<ServicesData>(apiPath('v1/services', { ...params, limit: PAGE_ROWS }), { signal });
  const offsets: number[] = [];
  for (let offset = PAGE_ROWS; offset < Math.min(first.matching, ROWS_MAX); offset += PAGE_ROWS) offsets.push(offset);
  const others = await Promise.all(offsets.map((offset) =>
    request<ServicesData>(apiPath('v1/services', { ...params, limit: PAGE_ROWS, offset }), { signal })));
  const rows = new Map([first, ...others].flatMap((page) => page.rows).map((row) => [row.name, row])); // a row may move between pages
  return { ...first, rows: [...rows.values()] };
}

function StatusChips({ counts, value, onChange }: { counts: StatusCounts; value: Status | ''; onChange: (status: Status | '') => void }) {
  const choices = [
    { key: '' as Status | '', label: common('all'), name: common('all') },
    ...STATUSES.map((status) => ({
      key: status as Status | '', label: <><Mark status={status} size={12} />{integer(counts[status])}</>, name: `${statusName(status)}: ${counts[status]}`,
    })),
  ];
  return <Chips choices={choices} value={value} onChange={onChange} label={common('status')} />;
}

const isStatus = (text: string | null): text is Status => STATUSES.includes(text as Status);

function List() {
  const { query } = useCell(route);
  const range = rangeOf(query);
  const filter = filterOf(query);
  const wanted = query.get('status');
  const status = isStatus(wanted) ? wanted : '';
  // The server filters only where not all rows are here.
  const all = useLoad(JSON.stringify(range), (signal) => loadAll(rangeParams(range), signal));
  const isTooMany = (all.data?.total ?? 0) > ROWS_MAX;
  const asked = isTooMany && (filter || status) ? { ...rangeParams(range), q: filter || undefined, status: status || undefined } : null;
  const found = useLoad(asked && JSON.stringify(asked), (signal) => loadAll(asked ?? {}, signal));
  const loaded = asked ? found : all;

  const rows = useMemo(
    () => (loaded.data?.rows ?? []).filter((row) => (!status || row.status === status) && passes(row.name, filter)), [loaded.data, filter, status],
  );

  return (
    <Load loaded={loaded}>
      {(data) => (
        <Card
          isFlush title={<>{t('all')} <small>{countServices(data.total)}</small></>}
          actions={(
            <>
              <StatusChips counts={data.counts} value={status} onChange={(next) => setParams({ status: next || null }, 'replace')} />
              <Filter value={filter} onChange={setFilter} found={rows.length} total={data.total} />
            </>
          )}
        >
          {data.total === 0 ? <Empty>{t('none')}</Empty> : (
            <Table
              caption={t('title')} columns={serviceColumns(data.time, true)} rows={rows} id={({ name }) => name} sortParam="sort" height={700}
              onRow={({ name }) => go('services', name)}
            />
          )}
          {data.matching > data.rows.length && <p class="table-foot">{t('worst', { n: integer(data.rows.length), total: integer(data.matching) })}</p>}
        </Card>
      )}
    </Load>
  );
}

const View = ({ arg }: { arg: string }) => (arg ? <Service name={arg} /> : <List />);

export const services: Page = { id: 'services', title: () => t('title'), icon: 'services', group: 'main', View, key: 's' };
