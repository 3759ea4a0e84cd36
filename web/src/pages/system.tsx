// Hosts: what each uses of its processor, memory, disks and network; with a name in the address one host.
import { byLabel } from '../chart/lines';
import { ChartCards, type ChartCard } from '../chart/page_charts';
import { common } from '../i18n/common';
import { apiPath } from '../lib/api';
import { useCell } from '../lib/cell';
import { filterOf, passes, setFilter } from '../lib/filter';
import { integer } from '../lib/fmt';
import { rateWindow } from '../lib/history';
import { plurals, strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { go, route } from '../lib/nav';
import type { Page } from '../lib/page';
import { rangeOf, type TimeRange } from '../lib/range';
import { Card, Filter } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table } from '../ui/table';
import { Host } from './host';
import { worstHosts, type HostsData } from '../lib/host_rules';
import { byInstance, diskColumns, diskId, hostCards, hostColumns } from './host_parts';

const t = strings(
  {
    title: 'System', hosts: 'Hosts', filesystems: 'Filesystems', diskUsed: 'Disk used', diskBusy: 'Disk busy', received: 'Network received', sent: 'Network sent',
    none: 'No host reports its processor, memory and disks yet. The server reports its own host unless its collectors are switched off; others come from a node exporter.',
    shown: '{n} of {total} hosts.',
  },
  {
    title: 'Система', hosts: 'Хосты', filesystems: 'Файловые системы', diskUsed: 'Занято на дисках', diskBusy: 'Занятость дисков', received: 'Сеть, приём', sent: 'Сеть, передача',
    none: 'Ни один хост пока не сообщает о процессоре, памяти и дисках. Сервер сообщает о своём хосте, если сборщики не выключены; остальные — через node exporter.',
    shown: '{n} из {total} хостов.',
  },
);
const countHosts = plurals(
  { one: '{n} host', other: '{n} hosts' },
  { one: '{n} хост', few: '{n} хоста', many: '{n} хостов', other: '{n} хоста' },
);

const LOOK = { span: 6, height: 170 } as const;

function cardsOf(range: TimeRange): ChartCard[] {
  const window = rateWindow(range);
  const network = (metric: string): string => `sum by (instance) (rate(${metric}{device!="lo"}[${window}]))`;
  return [
    ...hostCards(range, LOOK, t('diskUsed')),
    {
      ...LOOK, title: t('diskBusy'), unit: 'ratio', max: 1,
      parts: [{ id: 'busy', label: byLabel('instance', 'device'), query: `rate(node_disk_io_time_seconds_total[${window}])` }],
    },
    { ...LOOK, title: t('received'), unit: 'bytesPerSecond', parts: [{ id: 'received', label: byInstance, query: network('node_network_receive_bytes_total') }] },
    { ...LOOK, title: t('sent'), unit: 'bytesPerSecond', parts: [{ id: 'sent', label: byInstance, query: network('node_network_transmit_bytes_total') }] },
  ];
}

function Content({ data, filter, range }: { data: HostsData; filter: string; range: TimeRange }) {
  if (data.rows.length === 0) return <Card><Empty>{t('none')}</Empty></Card>;
  const rows = worstHosts(data.rows.filter(({ name }) => passes(name, filter)));
  const disks = data.disks.filter(({ host, mountpoint }) => passes(`${host} ${mountpoint}`, filter));
  return (
    <div class="grid">
      <Card
        span={12} isFlush title={<>{t('hosts')} <small>{countHosts(data.total)}</small></>}
        actions={<Filter value={filter} onChange={setFilter} found={rows.length} total={data.rows.length} />}
      >
        <Table caption={t('hosts')} columns={hostColumns(data.time)} rows={rows} id={({ name }) => name} sortParam="sort" onRow={({ name }) => go('system', name)} />
        {data.total > data.rows.length && <p class="table-foot">{t('shown', { n: integer(data.rows.length), total: integer(data.total) })}</p>}
      </Card>
      <ChartCards cards={cardsOf(range)} />
      <Card span={12} isFlush title={t('filesystems')}>
        <Table
          caption={t('filesystems')} columns={diskColumns(true)} rows={disks} id={diskId} sorting={{ key: 'used', direction: -1 }} sortParam="disks"
          empty={data.disks.length === 0 ? common('nothing') : undefined}
        />
      </Card>
    </div>
  );
}

function List({ range, filter }: { range: TimeRange; filter: string }) {
  const loaded = useApi<HostsData>(apiPath('v1/hosts'));
  return <Load loaded={loaded}>{(data) => <Content data={data} filter={filter} range={range} />}</Load>;
}

function View({ arg }: { arg: string }) {
  const { query } = useCell(route);
  const range = rangeOf(query);
  return arg ? <Host name={arg} range={range} /> : <List range={range} filter={filterOf(query)} />;
}

export const system: Page = { id: 'system', title: () => t('title'), icon: 'system', group: 'resources', View, needsMetric: 'node_memory_MemTotal_bytes' };
