// What people do with the applications: totals, top users, popular items, credits.
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { useCell } from '../lib/cell';
import { difference, format, integer } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { href, route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import type { Status } from '../lib/status';
import { TimeChart } from '../chart/chart';
import { Card, Chips, Stat, Stats } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface Totals {
  events: number; ok: number; errors: number; aborted: number; success_rate: number | null; average_time_per_item_seconds: number | null;
  average_duration_seconds: number | null; p95_duration_seconds: number | null; items: number; users: number; credits_used: number; credits_refunded: number; refund_rate: number | null;
}
interface User { user_id: string; generation_count: number; total_items: number; success_rate: number | null }
interface Item { kind: string; id: string; name: string; category: string; usage_count: number }
interface ErrorClass { error_type: string; count: number }
interface Answer {
  period: string; start: number; end: number; apps: string[]; app: string | null; totals: Totals; previous: Totals | null;
  series: { start: number; step: number; count: number; ok: (number | null)[]; errors: (number | null)[] };
  top_users: User[]; popular: Item[]; errors: ErrorClass[]; exact: boolean; error_bound: number;
}

const PERIODS = ['1h', '24h', '7d', '30d'] as const;
type Period = (typeof PERIODS)[number];
const SUCCESS = { good: 0.95, critical: 0.9 };
const REFUNDS = { good: 0.05, critical: 0.1 };

const t = strings(
  {
    title: 'Usage', period: 'Period', events: 'Events', items: 'Items', users: 'Active users', success: 'Success', refunds: 'Refund rate', perItem: 'Time per item', p95: 'p95 of an event', ok: 'succeeded', failed: 'failed',
    topUsers: 'Top users', popular: 'Popular items', user: 'User', item: 'Item', category: 'Category', kind: 'Kind', uses: 'Uses', byClass: 'Errors by class', credits: 'Credits used',
    none: 'No events in this period. Send them to POST /api/v1/events.', bound: 'Counts may be too low by {n} at most.', application: 'Application', allApps: 'All applications', '1h': '1 hour', '24h': '24 hours', '7d': '7 days', '30d': '30 days',
  },
  {
    title: 'Аналитика', period: 'Период', events: 'События', items: 'Объекты', users: 'Активные пользователи', success: 'Успех', refunds: 'Доля возвратов', perItem: 'Время на объект', p95: 'p95 события', ok: 'успешно', failed: 'с ошибкой',
    topUsers: 'Топ пользователей', popular: 'Популярное', user: 'Пользователь', item: 'Объект', category: 'Категория', kind: 'Вид', uses: 'Использований', byClass: 'Ошибки по классам', credits: 'Потрачено кредитов',
    none: 'В этом периоде нет событий. Отправляйте их в POST /api/v1/events.', bound: 'Счёт может быть занижен не более чем на {n}.', application: 'Приложение', allApps: 'Все приложения', '1h': '1 час', '24h': '24 часа', '7d': '7 дней', '30d': '30 дней',
  },
);

const judge = (value: number | null, good: number, critical: number): Status =>
  value === null ? 'unknown' : good > critical ? (value < critical ? 'critical' : value < good ? 'warning' : 'good') : value > critical ? 'critical' : value > good ? 'warning' : 'good';

/** "+12 %" against the period before; nothing when there was none. */
function change(now: number, before: number | undefined): string | undefined {
  return before ? `${difference(now / before - 1, 'ratio').replace(/\S+$/, '')}%` : undefined;
}

function Figures({ totals, previous }: { totals: Totals; previous: Totals | null }) {
  return (
    <Stats>
      <Stat label={t('events')} value={integer(totals.events)} note={change(totals.events, previous?.events)} />
      <Stat label={t('items')} value={integer(totals.items)} note={change(totals.items, previous?.items)} />
      <Stat label={t('users')} value={integer(totals.users)} note={change(totals.users, previous?.users)} />
      <Stat label={t('success')} value={format(totals.success_rate, 'ratio')} status={judge(totals.success_rate, SUCCESS.good, SUCCESS.critical)} />
      <Stat label={t('perItem')} value={format(totals.average_time_per_item_seconds, 'seconds')} />
      <Stat label={t('p95')} value={format(totals.p95_duration_seconds, 'seconds')} />
      <Stat label={t('credits')} value={integer(totals.credits_used)} />
      <Stat label={t('refunds')} value={format(totals.refund_rate, 'ratio')} status={judge(totals.refund_rate, REFUNDS.good, REFUNDS.critical)} />
    </Stats>
  );
}

const Bar = ({ value, of }: { value: number; of: number }) => <span class="share"><i style={{ width: `${of > 0 ? (value / of) * 100 : 0}%` }} /></span>;

function userColumns(most: number): Column<User>[] {
  return [
    { key: 'user', head: t('user'), sort: (row) => row.user_id, cell: (row) => <b>{row.user_id}</b> },
    { key: 'events', head: t('events'), isNumber: true, sort: (row) => row.generation_count, cell: (row) => integer(row.generation_count) },
    { key: 'bar', head: t('events'), isHeadHidden: true, width: 130, priority: 2, cell: (row) => <Bar value={row.generation_count} of={most} /> },
    { key: 'items', head: t('items'), isNumber: true, priority: 2, sort: (row) => row.total_items, cell: (row) => integer(row.total_items) },
    { key: 'success', head: t('success'), isNumber: true, sort: (row) => row.success_rate, cell: (row) => {
      const status = judge(row.success_rate, SUCCESS.good, SUCCESS.critical);
      return <span class={status === 'warning' || status === 'critical' ? `text-${status}` : ''}>{format(row.success_rate, 'ratio')}</span>;
    } },
  ];
}

function itemColumns(most: number): Column<Item>[] {
  return [
    { key: 'item', head: t('item'), sort: (row) => row.name || row.id, cell: (row) => row.name || row.id },
    { key: 'category', head: t('category'), priority: 2, sort: (row) => row.category, cell: (row) => <span class="tag">{row.category || row.kind}</span> },
    { key: 'uses', head: t('uses'), isNumber: true, sort: (row) => row.usage_count, cell: (row) => integer(row.usage_count) },
    { key: 'bar', head: t('uses'), isHeadHidden: true, width: 100, cell: (row) => <Bar value={row.usage_count} of={most} /> },
  ];
}

function classColumns(most: number): Column<ErrorClass>[] {
  return [
    { key: 'class', head: common('errorClass'), sort: (row) => row.error_type, cell: (row) => <a href={href('errors', row.error_type)}><code>{row.error_type}</code></a> },
    { key: 'count', head: common('count'), isNumber: true, sort: (row) => row.count, cell: (row) => integer(row.count) },
    { key: 'bar', head: common('count'), isHeadHidden: true, width: 160, cell: (row) => <Bar value={row.count} of={most} /> },
  ];
}

const largest = (values: number[]): number => Math.max(0, ...values);

function Content({ data }: { data: Answer }) {
  const { series } = data;
  const times = Array.from({ length: series.count }, (_, index) => series.start + index * series.step);
  const lines = [{ label: t('ok'), values: series.ok }, { label: t('failed'), values: series.errors, color: '--critical' }];
  return (
    <div class="grid">
      <div class="span-12"><Figures totals={data.totals} previous={data.previous} /></div>
      <Card span={12}><TimeChart title={t('events')} unit="number" times={times} step={series.step} lines={lines} isStacked height={150} /></Card>
      <Card span={7} isFlush title={t('topUsers')}><Table caption={t('topUsers')} id={(row) => row.user_id} rows={data.top_users} columns={userColumns(largest(data.top_users.map((row) => row.generation_count)))} /></Card>
      <Card span={5} isFlush title={t('popular')}><Table caption={t('popular')} id={(row) => `${row.kind} ${row.id}`} rows={data.popular} columns={itemColumns(largest(data.popular.map((row) => row.usage_count)))} /></Card>
      {data.errors.length > 0 && <Card span={12} isFlush title={t('byClass')}><Table caption={t('byClass')} id={(row) => row.error_type} rows={data.errors} columns={classColumns(largest(data.errors.map((row) => row.count)))} /></Card>}
      {!data.exact && <p class="muted span-12">{t('bound', { n: data.error_bound })}</p>}
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
  const loaded = useApi<Answer>(apiPath('v1/usage', { period, app, limit: 10 }));
  const apps = loaded.data?.apps ?? [];
  return (
    <>
      <div class="page-head">
        <Chips label={t('period')} value={period} onChange={(key) => setParams({ period: key })} choices={PERIODS.map((key) => ({ key, label: t(key) }))} />
        {apps.length > 1 && (
          <select aria-label={t('application')} value={app ?? ''} onChange={(event) => setParams({ app: event.currentTarget.value || null })}>
            <option value="">{t('allApps')}</option>
            {apps.map((name) => <option key={name}>{name}</option>)}
          </select>
        )}
      </div>
      <Load loaded={loaded}>{(data) => (data.totals.events > 0 ? <Content data={data} /> : <Card><Empty>{t('none')}</Empty></Card>)}</Load>
    </>
  );
}

export const usage: Page = { id: 'usage', title: () => t('title'), icon: 'usage', group: 'plan', View: Usage, isAdminOnly: true, isTimeless: true };
