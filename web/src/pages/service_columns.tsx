// The columns of services, for the overview and the list.
import { Spark, Strip } from '../chart/small';
import { common } from '../i18n/common';
import { ago, format, integer } from '../lib/fmt';
import { href } from '../lib/nav';
import { severity, statusClass, type Status } from '../lib/status';
import type { ServiceRow } from '../lib/types';
import { StatusMark } from '../ui/parts';
import type { Column } from '../ui/table';

const ERRORS_CRITICAL = 0.1;
const ERRORS_WARNING = 0.05;
export const errorStatus = (ratio: number | null): Status | null =>
  (ratio === null ? null : ratio >= ERRORS_CRITICAL ? 'critical' : ratio >= ERRORS_WARNING ? 'warning' : null);

export function serviceColumns(now: number, isFull: boolean): Column<ServiceRow>[] {
  const columns: Column<ServiceRow>[] = [
    {
      key: 'name', head: common('service'), sort: (row) => row.name,
      cell: (row) => <a class="name-cell" href={href('services', row.name)}><StatusMark status={row.status} /><span>{row.name}</span></a>,
    },
    { key: 'operations_per_second', head: common('perSecond'), isNumber: true, width: 84, sort: (row) => row.operations_per_second, cell: (row) => format(row.operations_per_second) },
    { key: 'ops_spark', head: `${common('perSecond')}, ${common('trend')}`, isHeadHidden: true, width: 108, priority: 2, cell: (row) => <Spark values={row.ops_spark ?? []} /> },
    {
      key: 'error_ratio', head: common('errors'), isNumber: true, width: 84, sort: (row) => row.error_ratio,
      cell: (row) => <span class={statusClass(errorStatus(row.error_ratio))}>{format(row.error_ratio, 'ratio')}</span>,
    },
    { key: 'p95_seconds', head: 'p95', isNumber: true, width: 96, sort: (row) => row.p95_seconds, cell: (row) => format(row.p95_seconds, 'seconds') },
  ];
  if (isFull)
    columns.push({ key: 'p95_spark', head: `p95, ${common('trend')}`, isHeadHidden: true, width: 108, priority: 3, cell: (row) => <Spark values={row.p95_spark ?? []} color="--series-2" /> });
  columns.push({
    key: 'active', head: common('active'), isNumber: true, width: 90, priority: 3, sort: (row) => row.active,
    cell: (row) => (row.status === 'unknown' ? ago(row.seen_at, now) : integer(row.active)),
  });
  columns.push({
    key: 'status', head: common('last24h'), width: isFull ? 218 : 164, priority: 2, sort: (row) => severity(row.status),
    cell: (row) => <Strip statuses={row.strip} width={isFull ? 196 : 140} />,
  });
  return columns;
}
