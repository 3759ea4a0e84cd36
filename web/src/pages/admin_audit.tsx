// Sign-ins and changes of accounts, newest first.
import { useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { useAction } from '../lib/action';
import { apiPath, request } from '../lib/api';
import { stamp } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { Card, Refusal } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface Entry { id: number; time: string; actor: string; address: string; action: string; detail: string }

const PAGE = 100;

const t = strings(
  { audit: 'Audit log', who: 'Who', from: 'From', action: 'Action', detail: 'Detail', older: 'Older' },
  { audit: 'Журнал', who: 'Кто', from: 'Откуда', action: 'Действие', detail: 'Подробности', older: 'Раньше' },
);

const columns = (): Column<Entry>[] => [
  { key: 'time', head: common('time'), cell: (row) => stamp(Date.parse(row.time) / 1000) },
  { key: 'who', head: t('who'), cell: (row) => <b>{row.actor}</b> },
  { key: 'action', head: t('action'), cell: (row) => <code>{row.action}</code> },
  { key: 'detail', head: t('detail'), priority: 2, cell: (row) => row.detail },
  { key: 'from', head: t('from'), priority: 2, cell: (row) => row.address },
];

export function Audit() {
  const loaded = useApi<Entry[]>(apiPath('v1/admin/audit', { limit: PAGE }), false);
  const [older, setOlder] = useState<Entry[]>([]);
  const [hasMore, setHasMore] = useState(true);
  const { message, run } = useAction();
  const more = async (last: Entry): Promise<void> => {
    const next = await request<Entry[]>(apiPath('v1/admin/audit', { limit: PAGE, before: last.id }));
    setOlder([...older, ...next]);
    setHasMore(next.length === PAGE);
  };
  return (
    <Card isFlush title={t('audit')}>
      <Load loaded={loaded}>
        {(data) => {
          const rows = [...data, ...older];
          return (
            <>
              <Table caption={t('audit')} id={(row) => String(row.id)} rows={rows} columns={columns()} empty={<Empty>{common('nothing')}</Empty>} />
              {hasMore && data.length === PAGE && (
                <div class="padded">
                  <Refusal>{message}</Refusal>
                  <button type="button" class="button" onClick={() => void run(() => more(rows[rows.length - 1]))}>{t('older')}</button>
                </div>
              )}
            </>
          );
        }}
      </Load>
    </Card>
  );
}
