// What people do with the applications: totals, top users, popular items, credits.
import { common } from '../i18n/common';
import { apiPath, request } from '../lib/api';
import { useCell } from '../lib/cell';
import { ago, difference, format, integer, signed, stamp } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href, resetZoom, route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeEnds, rangeOf, timesOf } from '../lib/range';
import { statusClass } from '../lib/status';
import { change, judge, largest, REFUNDS, shareOf, SUCCESS, type UsageSeries, type UsageTotals } from '../lib/usage_rules';
import { TimeChart } from '../chart/chart';
import { shell } from '../i18n/shell';
import { Bar, Card, Chips, Stat, Stats } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface User { user_id: string; generation_count: number; total_items: number; success_rate: number | null }
interface Item { kind: string; id: string; name: string | null; category: string | null; usage_count: number }
interface ErrorClass { error_type: string; count: number; first_seen: number; last_seen: number }
interface Answer {
  period: string; start: number; end: number; apps: string[]; app: string | null; totals: UsageTotals; previous: UsageTotals | null; series: UsageSeries;
  top_users: User[]; popular: Item[]; errors: ErrorClass[]; exact: boolean; error_bound: number;
}

const PERIODS = ['1h', '24h', '7d', '30d'] as const;
type Period = (typeof PERIODS)[number];
const ROWS = 10;

const t = strings(
  {
    title: 'Usage', period: 'Period', events: 'Events', items: 'Items', users: 'Active users', success: 'Success', refunds: 'Refund rate', perItem: 'Time per item', p95: 'p95 of an event', ok: 'succeeded', failed: 'failed',
    topUsers: 'Top users', popular: 'Popular items', user: 'User', item: 'Item', category: 'Category', uses: 'Uses', byClass: 'Errors by class', credits: 'Credits used', refunded: 'Credits refunded', firstSeen: 'First seen',
    never: 'No application has sent events yet: POST /api/v1/events.', none: 'No events in this period.', noUsers: 'No event names its user.', noItems: 'No event names an item.', before: 'the period before: {value}', aborted: 'aborted: {n}', bound: 'Counts may be too low by {n} at most.', application: 'Application', allApps: 'All applications', '1h': '1 hour', '24h': '24 hours', '7d': '7 days', '30d': '30 days',
  },
  {
    title: 'Аналитика', period: 'Период', events: 'События', items: 'Объекты', users: 'Активные пользователи', success: 'Успех', refunds: 'Доля возвратов', perItem: 'Время на объект', p95: 'p95 события', ok: 'успешно', failed: 'с ошибкой',
    topUsers: 'Топ пользователей', popular: 'Популярное', user: 'Пользователь', item: 'Объект', category: 'Категория', uses: 'Использований', byClass: 'Ошибки по классам', credits: 'Потрачено кредитов', refunded: 'Возвращено кредитов', firstSeen: 'Впервые',
    never: 'Приложения ещё не отправляли событий: POST /api/v1/events.', none: 'В этом периоде нет событий.', noUsers: 'В событиях не указан пользователь.', noItems: 'В событиях не указаны объекты.', before: 'период до этого: {value}', aborted: 'прервано: {n}', bound: 'Счёт может быть занижен не более чем на {n}.', application: 'Приложение', allApps: 'Все приложения', '1h': '1 час', '24h': '24 часа', '7d': '7 дней', '30d': '30 дней',
  },
);

type Counted = 'events' | 'items' | 'users' | 'credits_used' | 'credits_refunded';

/** A count, and its change against the period before. */
function Count({ label, name, totals, previous }: { label: string; name: Counted; totals: UsageTotals; previous: UsageTotals | null }) {
  const ratio = change(totals[name], previous?.[name]);
  const note = ratio === null || !previous ? undefined
    : <span title={t('before', { value: integer(previous[name]) })}>{signed(ratio, 'ratio')}</span>;
  return <Stat label={label} value={integer(totals[name])} note={note} />;
}

/** A ratio with its status, and the points by which it changed. */
function Rate({ label, name, limits, totals, previous }: { label: string; name: 'success_rate' | 'refund_rate'; limits: typeof SUCCESS; totals: UsageTotals; previous: UsageTotals | null }) {
  const [now, before] = [totals[name], previous?.[name] ?? null];
  const note = now === null || before === null || now === before ? undefined
    : <span title={t('before', { value: format(before, 'ratio') })}>{difference(now - before, 'ratio')}</span>;
  const title = name === 'success_rate' && totals.aborted > 0 ? t('aborted', { n: integer(totals.aborted) }) : undefined;
  return <Stat label={label} value={<span title={title}>{format(now, 'ratio')}</span>} note={note} status={judge(now, limits)} />;
}

function Figures(both: { totals: UsageTotals; previous: UsageTotals | null }) {
  const { totals } = both;
  return (
    <Stats>
      <Count label={t('events')} name="events" {...both} />
      <Count label={t('items')} name="items" {...both} />
      <Count label={t('users')} name="users" {...both} />
      <Rate label={t('success')} name="success_rate" limits={SUCCESS} {...both} />
      <Stat label={t('perItem')} value={format(totals.average_time_per_item_seconds, 'seconds')} />
      <Stat label={t('p95')} value={format(totals.p95_duration_seconds, 'seconds')} />
      <Count label={t('credits')} name="credits_used" {...both} />
      <Count label={t('refunded')} name="credits_refunded" {...both} />
      <Rate label={t('refunds')} name="refund_rate" limits={REFUNDS} {...both} />
    </Stats>
  );
}

function userColumns(most: number): Column<User>[] {
  return [
    { key: 'user', head: t('user'), class: 'name-column', sort: (row) => row.user_id, cell: (row) => <b class="cut" title={row.user_id}>{row.user_id}</b> },
    { key: 'events', head: t('events'), isNumber: true, sort: (row) => row.generation_count, cell: (row) => integer(row.generation_count) },
    { key: 'bar', head: t('events'), isHeadHidden: true, width: 130, priority: 2, cell: (row) => <Bar ratio={shareOf(row.generation_count, most)} /> },
    { key: 'items', head: t('items'), isNumber: true, priority: 2, sort: (row) => row.total_items, cell: (row) => integer(row.total_items) },
    {
      key: 'success', head: t('success'), isNumber: true, sort: (row) => row.success_rate,
      cell: (row) => <span class={statusClass(judge(row.success_rate, SUCCESS))}>{format(row.success_rate, 'ratio')}</span>,
    },
  ];
}

function itemColumns(most: number): Column<Item>[] {
  return [
    { key: 'item', head: t('item'), class: 'name-column', sort: (row) => row.name || row.id, cell: (row) => <span class="cut" title={row.id}>{row.name || row.id}</span> },
    { key: 'category', head: t('category'), priority: 2, sort: (row) => row.category, cell: (row) => <span class="tag">{row.category || row.kind}</span> },
    { key: 'uses', head: t('uses'), isNumber: true, sort: (row) => row.usage_count, cell: (row) => integer(row.usage_count) },
    { key: 'bar', head: t('uses'), isHeadHidden: true, width: 100, cell: (row) => <Bar ratio={shareOf(row.usage_count, most)} /> },
  ];
}

function classColumns(most: number, now: number): Column<ErrorClass>[] {
  const seen = (key: 'first_seen' | 'last_seen', head: string, priority?: 2): Column<ErrorClass> =>
    ({ key, head, isNumber: true, priority, sort: (row) => row[key], cell: (row) => <span title={stamp(row[key])}>{ago(row[key], now)}</span> });
  return [
    { key: 'class', head: common('errorClass'), sort: (row) => row.error_type, cell: (row) => <a href={href('errors', row.error_type)}><code>{row.error_type}</code></a> },
    { key: 'count', head: common('count'), isNumber: true, sort: (row) => row.count, cell: (row) => integer(row.count) },
    { key: 'bar', head: common('count'), isHeadHidden: true, width: 160, priority: 2, cell: (row) => <Bar ratio={shareOf(row.count, most)} /> },
    seen('first_seen', t('firstSeen'), 2),
    seen('last_seen', common('lastSeen')),
  ];
}

function Lists({ data }: { data: Answer }) {
  const users = userColumns(largest(data.top_users.map((row) => row.generation_count)));
  const items = itemColumns(largest(data.popular.map((row) => row.usage_count)));
  const classes = classColumns(largest(data.errors.map((row) => row.count)), Math.min(data.end, Date.now() / 1000)); // the end of a running period is ahead
  return (
    <>
      <Card span={7} isFlush title={t('topUsers')}>
        <Table caption={t('topUsers')} id={(row) => row.user_id} rows={data.top_users} columns={users} sortParam="users" empty={t('noUsers')} />
      </Card>
      <Card span={5} isFlush title={t('popular')}>
        <Table caption={t('popular')} id={(row) => `${row.kind} ${row.id}`} rows={data.popular} columns={items} sortParam="items" empty={t('noItems')} />
      </Card>
      {data.errors.length > 0 && (
        <Card span={12} isFlush title={t('byClass')}>
          <Table caption={t('byClass')} id={(row) => row.error_type} rows={data.errors} columns={classes} sortParam="classes" />
        </Card>
      )}
      {!data.exact && <p class="muted span-12">{t('bound', { n: data.error_bound })}</p>}
    </>
  );
}

function Content({ data }: { data: Answer }) {
  const zoom = rangeOf(useCell(route).query);
  if (data.totals.events === 0) return <Card><Empty>{t(data.apps.length === 0 ? 'never' : 'none')}</Empty></Card>;
  const { series } = data;
  const lines = [{ label: t('ok'), values: series.ok }, { label: t('failed'), values: series.errors, color: '--critical' }];
  const ends: [number, number] = zoom.kind === 'between' ? rangeEnds(zoom, data.end) : [data.start, data.end];
  return (
    <div class="grid">
      <div class="span-12"><Figures totals={data.totals} previous={data.previous} /></div>
      <Card span={12}><TimeChart title={t('events')} unit="number" times={timesOf(series)} step={series.step} ends={ends} lines={lines} isStacked height={150} /></Card>
      <Lists data={data} />
    </div>
  );
}

/** The period nearest to the range that the address has, where it names none itself. */
function periodOf(query: URLSearchParams): Period {
  const wanted = query.get('period') ?? query.get('range');
  return PERIODS.find((period) => period === wanted) ?? (wanted === '15m' ? '1h' : '24h');
}

function Usage() {
  const { query } = useCell(route);
  const period = periodOf(query);
  const app = query.get('app') ?? undefined;
  const loaded = useApi<Answer>(apiPath('v1/usage', { period, app, limit: ROWS }));
  const apps = loaded.data?.apps ?? [];
  return (
    <>
      <div class="page-head">
        <Chips label={t('period')} value={period} onChange={(key) => setParams({ period: key, from: null, to: null })} choices={PERIODS.map((key) => ({ key, label: t(key) }))} />
        {apps.length > 1 && (
          <select aria-label={t('application')} value={app ?? ''} onChange={(event) => setParams({ app: event.currentTarget.value || null })}>
            <option value="">{t('allApps')}</option>
            {apps.map((name) => <option key={name}>{name}</option>)}
          </select>
        )}
        {rangeOf(query).kind === 'between' && <button type="button" class="button" onClick={resetZoom}>{shell('resetZoom')}</button>}
      </div>
      <Load loaded={loaded}>{(data) => <Content data={data} />}</Load>
    </>
  );
}

/** Whether an application reported anything of late: the page is in the sidebar then. */
async function hasData(): Promise<boolean> {
  const { apps } = await request<Answer>(apiPath('v1/usage', { period: '30d', limit: 1 }));
  return apps.length > 0;
}

export const usage: Page = { id: 'usage', title: () => t('title'), icon: 'usage', group: 'plan', View: Usage, isAdminOnly: true, isTimeless: true, hasData };
