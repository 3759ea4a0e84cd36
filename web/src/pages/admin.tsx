// For administrators: storage, cardinality, sources of data, users, tokens, the audit log.
import { useCell } from '../lib/cell';
import { strings } from '../lib/lang';
import { route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { access } from '../lib/session';
import { Tabs } from '../ui/parts';
import { Tokens, Users } from './admin_accounts';
import { Audit } from './admin_audit';
import { Sources } from './admin_sources';
import { Storage } from './admin_storage';

const t = strings(
  { admin: 'Admin', storage: 'Storage', users: 'Users', tokens: 'API tokens', sources: 'Sources', audit: 'Audit log' },
  { admin: 'Управление', storage: 'Хранилище', users: 'Пользователи', tokens: 'Токены API', sources: 'Источники', audit: 'Журнал' },
);

const TABS = { storage: Storage, sources: Sources, users: Users, tokens: Tokens, audit: Audit };
type Tab = keyof typeof TABS;

function Admin() {
  const { query } = useCell(route);
  const isOpen = useCell(access)?.access === 'open';
  const names = (Object.keys(TABS) as Tab[]);
  const tab = names.find((name) => name === query.get('tab')) ?? 'storage';
  const Content = TABS[tab];
  return (
    <>
      <div class="page-head">
        <Tabs label={t('admin')} value={tab} onChange={(key) => setParams({ tab: key, sort: null })} choices={names.map((key) => ({ key, label: t(key) }))} />
      </div>
      <div role="tabpanel" aria-label={t(tab)}><Content isOpen={isOpen} /></div>
    </>
  );
}

export const admin: Page = { id: 'admin', title: () => t('admin'), icon: 'admin', group: 'admin', View: Admin, isAdminOnly: true, isTimeless: true };
