// Where data comes from: scrape targets, collectors, what is pushed; with the last error of each.
import { ago, format, integer, NONE } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import type { Status } from '../lib/status';
import { Card, StatusMark } from '../ui/parts';
import { Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface Source { name: string; kind: 'scrape' | 'collector' | 'push'; status: Status; job: string | null; duration_seconds: number | null; samples: number | null; last_at: number | null; last_error: string | null }
interface Answer { time: number; rows: Source[] }

const t = strings(
  { sources: 'Sources', source: 'Source', kind: 'Kind', job: 'Job', duration: 'Took', samples: 'Samples', last: 'Last', error: 'Last error', scrape: 'scraped', collector: 'collector', push: 'pushed' },
  { sources: 'Источники', source: 'Источник', kind: 'Вид', job: 'Задание', duration: 'Заняло', samples: 'Отсчётов', last: 'Последний раз', error: 'Последняя ошибка', scrape: 'опрос', collector: 'сборщик', push: 'приём' },
);

const columns = (now: number): Column<Source>[] => [
  { key: 'source', head: t('source'), sort: (row) => row.name, cell: (row) => <span class="name-cell"><StatusMark status={row.status} /><code>{row.name}</code></span> },
  { key: 'kind', head: t('kind'), priority: 2, sort: (row) => row.kind, cell: (row) => t(row.kind) },
  { key: 'job', head: t('job'), priority: 3, sort: (row) => row.job, cell: (row) => row.job || NONE },
  { key: 'duration', head: t('duration'), isNumber: true, priority: 2, sort: (row) => row.duration_seconds, cell: (row) => format(row.duration_seconds, 'seconds') },
  { key: 'samples', head: t('samples'), isNumber: true, sort: (row) => row.samples, cell: (row) => integer(row.samples) },
  { key: 'last', head: t('last'), isNumber: true, sort: (row) => row.last_at, cell: (row) => ago(row.last_at, now) },
  { key: 'error', head: t('error'), priority: 2, sort: (row) => row.last_error, cell: (row) => <span class="text-critical">{row.last_error}</span> },
];

export function Sources() {
  const loaded = useApi<Answer>('api/v1/admin/sources');
  return (
    <Card isFlush title={t('sources')}>
      <Load loaded={loaded}>{(data) => <Table caption={t('sources')} id={(row) => `${row.kind} ${row.job} ${row.name}`} rows={data.rows} columns={columns(data.time)} sortParam="sort" />}</Load>
    </Card>
  );
}
