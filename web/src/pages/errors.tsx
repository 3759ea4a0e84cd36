// Groups of errors that applications reported: what, since when, how often, who; and failed operations.
import { common } from '../i18n/common';
import { useAction } from '../lib/action';
import { apiPath, request } from '../lib/api';
import { useCell } from '../lib/cell';
import { byOperation, matches, type Group } from '../lib/error_groups';
import { filterOf, setFilter } from '../lib/filter';
import { ago, format, integer, NONE, stamp } from '../lib/fmt';
import { rateWindow } from '../lib/history';
import { plurals, strings } from '../lib/lang';
import { refresh } from '../lib/live';
import { useApi } from '../lib/load';
import { route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { byLabel } from '../chart/lines';
import { ChartCards, usePageRange, type ChartCard } from '../chart/page_charts';
import { Bars } from '../chart/small';
import { Icon } from '../ui/icons';
import { Badge, Bar, Card, Filter, KeyValues, Refusal, Tabs } from '../ui/parts';
import { Empty, Load } from '../ui/states';

interface Answer { errors: Group[]; count: number }
interface ClassHours { error_type: string; hours: number[] }
interface Overview { errors: { classes: ClassHours[] } }
type State = 'open' | 'resolved' | 'any';

const NEW_FOR_S = 86400;
const GROUPS_MAX = 1000;

const t = strings(
  {
    failed: 'Failed operations', open: 'Open', resolved: 'Resolved', isNew: 'New', events: 'events', users: 'users', firstSeen: 'first seen {ago}', byOperation: 'By operation',
    resolve: 'Mark resolved', reopen: 'Open again', sample: 'A sample', none: 'No errors. They come from events: POST /api/v1/events with "error".', noneOpen: 'No open errors.',
    reopened: 'came back {n} times', at: 'Last', day: '24 h', application: 'Application', kind: 'Type',
  },
  {
    failed: 'Неудачные операции', open: 'Открытые', resolved: 'Решённые', isNew: 'Новая', events: 'событий', users: 'польз.', firstSeen: 'впервые {ago}', byOperation: 'По операциям',
    resolve: 'Отметить решённой', reopen: 'Открыть снова', sample: 'Пример', none: 'Ошибок нет. Они приходят с событиями: POST /api/v1/events с полем "error".', noneOpen: 'Открытых ошибок нет.',
    reopened: 'возвращалась, раз: {n}', at: 'Последняя', day: '24 ч', application: 'Приложение', kind: 'Тип',
  },
);
const countEvents = plurals(
  { one: '{n} event', other: '{n} events' },
  { one: '{n} событие', few: '{n} события', many: '{n} событий', other: '{n} события' },
);

const seconds = (time: string): number => Date.parse(time) / 1000;

function Body({ group, groups }: { group: Group; groups: Group[] }) {
  const { message, run } = useAction();
  const isOpen = group.state === 'open';
  const change = async (): Promise<void> => {
    await request(`api/v1/errors/${group.id}`, { method: 'PATCH', body: { resolved: isOpen } });
    refresh();
  };
  const facts: [string, string][] = [
    [t('at'), stamp(seconds(group.last_seen))], [t('application'), group.app], [common('operation'), group.operation],
    [common('errorClass'), group.error_type], [t('kind'), group.sample_type === group.error_type ? '' : group.sample_type],
  ];
  return (
    <div class="error-body">
      <div>
        <h3>{t('sample')}</h3>
        <pre class="sample" tabIndex={0}>{group.sample}</pre>
        <KeyValues facts={facts.filter(([, value]) => value)} />
      </div>
      <div>
        <h3>{t('byOperation')}</h3>
        <table class="mini"><tbody>
          {byOperation(groups, group).map(({ operation, share }) => (
            <tr key={operation}>
              <th scope="row"><code>{operation}</code></th>
              <td><Bar ratio={share} /></td>
              <td class="number">{format(share, 'ratio')}</td>
            </tr>
          ))}
        </tbody></table>
        {group.reopened > 0 && <p class="muted">{t('reopened', { n: group.reopened })}</p>}
        <Refusal>{message}</Refusal>
        <div class="form-actions"><button type="button" class={`button ${isOpen ? 'primary' : ''}`} onClick={() => void run(change)}>{t(isOpen ? 'resolve' : 'reopen')}</button></div>
      </div>
    </div>
  );
}

interface ItemProps { group: Group; groups: Group[]; hours: number[] | undefined; isOpen: boolean; onToggle: () => void }
function Item({ group, groups, hours, isOpen, onToggle }: ItemProps) {
  const now = Date.now() / 1000;
  const isNew = group.state === 'open' && now - seconds(group.first_seen) < NEW_FOR_S;
  return (
    <li class={isOpen ? 'on' : ''}>
      <button type="button" class="error-row" aria-expanded={isOpen} onClick={onToggle}>
        <span class="error-main">
          <span class="error-class"><code>{group.error_type}</code>{isNew && <Badge status="info" text={t('isNew')} />}{group.state === 'resolved' && <Badge status="good" text={t('resolved')} />}<span class="muted">{group.app} · {group.operation}</span></span>
          <span class="error-message">{group.sample}</span>
        </span>
        <span class="error-hours">{hours && <Bars values={hours} width={132} label={`${group.error_type}, ${t('day')}: ${countEvents(hours.reduce((sum, n) => sum + n, 0))}`} />}</span>
        <span class="number"><b>{integer(group.count)}</b><small>{t('events')}</small></span>
        <span class="number priority-2"><b>{group.users > 0 ? integer(group.users) : NONE}</b><small>{t('users')}</small></span>
        <span class="number priority-2"><b>{ago(seconds(group.last_seen), now)}</b><small>{t('firstSeen', { ago: ago(seconds(group.first_seen), now) })}</small></span>
        <Icon name={isOpen ? 'chev' : 'chevr'} />
      </button>
      {isOpen && <Body group={group} groups={groups} />}
    </li>
  );
}

/** The hours of a class, at the newest of its groups: the server counts by class. */
function hoursOf(classes: ClassHours[] | undefined, groups: Group[], group: Group): number[] | undefined {
  const first = groups.find((other) => other.error_type === group.error_type);
  return first === group ? classes?.find((one) => one.error_type === group.error_type)?.hours : undefined;
}

function List({ data, classes, filter, state }: { data: Answer; classes: ClassHours[] | undefined; filter: string; state: State }) {
  const { query, arg } = useCell(route);
  const shown = data.errors.filter((group) => matches(group, filter) && (!arg || group.error_type === arg));
  const opened = query.get('id');
  const isOpen = (group: Group): boolean => (opened === null ? arg === group.error_type && shown[0] === group : opened === String(group.id));
  return (
    <ul class="errors">
      {shown.map((group) => (
        <Item
          key={group.id} group={group} groups={data.errors} hours={hoursOf(classes, shown, group)} isOpen={isOpen(group)}
          onToggle={() => setParams({ id: isOpen(group) ? (arg ? '0' : null) : String(group.id) }, 'replace')}
        />
      ))}
      {shown.length === 0 && <li><Empty>{filter || arg ? common('noMatch') : t(state === 'open' ? 'noneOpen' : 'none')}</Empty></li>}
    </ul>
  );
}

function Errors() {
  const { query, arg } = useCell(route);
  const state = (['open', 'resolved', 'any'].includes(query.get('state') ?? '') ? query.get('state') : arg ? 'any' : 'open') as State;
  const filter = filterOf(query);
  const loaded = useApi<Answer>(apiPath('v1/errors', { state, limit: GROUPS_MAX }));
  const overview = useApi<Overview>(apiPath('v1/overview', { range: '24h' }), false);
  const failed: ChartCard = {
    title: t('failed'), unit: 'perSecond', span: 12, height: 130, isStacked: true,
    parts: [{ id: 'failed', label: byLabel('service'), query: `sum by (service) (rate(sonde_operations_total{outcome="error"}[${rateWindow(usePageRange())}])) > 0` }],
  };
  const total = loaded.data?.errors.length;
  const found = loaded.data?.errors.filter((group) => matches(group, filter)).length;
  const tabs = <Tabs label={common('status')} value={state} onChange={(key) => setParams({ state: key, id: null })} choices={[{ key: 'open', label: t('open') }, { key: 'resolved', label: t('resolved') }, { key: 'any', label: common('all') }]} />;
  return (
    <div class="grid">
      <ChartCards cards={[failed]} />
      <Card span={12} isFlush title={tabs} actions={<Filter value={filter} onChange={setFilter} found={found} total={total} />}>
        <Load loaded={loaded}>{(data) => <List data={data} classes={overview.data?.errors.classes} filter={filter} state={state} />}</Load>
      </Card>
    </div>
  );
}

export const errors: Page = { id: 'errors', title: () => common('errors'), icon: 'errors', group: 'investigate', View: Errors, isAdminOnly: true, key: 'e' };
