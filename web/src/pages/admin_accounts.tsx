// Users and API tokens. A token is shown once, when it is made.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { useAction } from '../lib/action';
import { request } from '../lib/api';
import { ago } from '../lib/fmt';
import { strings } from '../lib/lang';
import { useApi } from '../lib/load';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Card, Code, Field, Refusal } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

interface User { id: number; name: string; role: 'user' | 'admin'; created: string; last_login: string | null }
interface Token { id: number; name: string; hint: string; user: string; scopes: string[]; created: string; expires: string | null }

const SCOPES = ['ingest', 'read', 'admin'] as const;
const EXPIRY_DAYS = [30, 90, 365];

const t = strings(
  {
    users: 'Users', addUser: 'Add user', user: 'User name', role: 'Role', roleUser: 'user: reads and writes measurements', roleAdmin: 'admin: also changes settings and accounts', lastLogin: 'Last sign-in', created: 'Created', never: 'never',
    password: 'Password', newPassword: 'New password', keep: 'Empty: it stays as it is. A new one ends all sessions.', remove: 'Remove', removeUser: 'Remove {name}? Sessions and tokens of this user end.', short: 'At least 10 bytes.',
    tokens: 'API tokens', newToken: 'New token', token: 'Name', scopes: 'Scopes', owner: 'For user', starts: 'Starts with', expires: 'Expires', revoke: 'Revoke', revokeToken: 'Revoke {name}? Programs that use it are refused from now on.', create: 'Create', inDays: '{n} days',
    ingest: 'ingest: write measurements', read: 'read', admin: 'admin', once: 'Copy it now: it is not shown again.', noTokens: 'No tokens yet. Programs on other machines, and Grafana, need one.', noUsers: 'Nobody yet.', done: 'Done', open: 'Access is open: nobody signs in. These accounts count when access is "required".',
  },
  {
    users: 'Пользователи', addUser: 'Добавить', user: 'Имя пользователя', role: 'Роль', roleUser: 'user: читает и пишет измерения', roleAdmin: 'admin: также меняет настройки и учётные записи', lastLogin: 'Последний вход', created: 'Создан', never: 'не было',
    password: 'Пароль', newPassword: 'Новый пароль', keep: 'Пусто: без изменений. Новый завершит все сеансы.', remove: 'Удалить', removeUser: 'Удалить {name}? Сеансы и токены пользователя завершатся.', short: 'Не меньше 10 байт.',
    tokens: 'Токены API', newToken: 'Новый токен', token: 'Имя', scopes: 'Права', owner: 'Для пользователя', starts: 'Начинается с', expires: 'Истекает', revoke: 'Отозвать', revokeToken: 'Отозвать {name}? Программы с ним сразу получат отказ.', create: 'Создать', inDays: 'дней: {n}',
    ingest: 'ingest: запись измерений', read: 'read: чтение', admin: 'admin: управление', once: 'Скопируйте сейчас: больше он не будет показан.', noTokens: 'Токенов нет. Они нужны Grafana и программам с других машин.', noUsers: 'Пока никого.', done: 'Готово', open: 'Доступ открыт: никто не входит. Эти учётные записи действуют при доступе «required».',
  },
);

const since = (time: string | null): string => (time ? ago(Date.parse(time) / 1000, Date.now() / 1000) : t('never'));

/** A form in a dialog: what is sent, and what the server says against it. */
interface FormProps { children: ComponentChildren; action: string; isDanger?: boolean; send: () => Promise<void>; onClose: () => void }
function Form({ children, action, isDanger = false, send, onClose }: FormProps) {
  const { message, isBusy, run } = useAction();
  const submit = (event: Event): void => {
    event.preventDefault();
    void run(send);
  };
  return (
    <form onSubmit={submit}>
      {children}
      <Refusal>{message}</Refusal>
      <div class="form-actions">
        <button class={`button ${isDanger ? 'danger' : 'primary'}`} disabled={isBusy}>{action}</button>
        <button type="button" class="button" onClick={onClose}>{common('cancel')}</button>
      </div>
    </form>
  );
}

interface ChangeProps { reload: () => void; onClose: () => void }

function RoleField({ value, onChange }: { value: User['role']; onChange: (role: User['role']) => void }) {
  return (
    <Field label={t('role')}>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as User['role'])}>
        <option value="user">{t('roleUser')}</option>
        <option value="admin">{t('roleAdmin')}</option>
      </select>
    </Field>
  );
}

function UserForm({ user, reload, onClose }: ChangeProps & { user: User | null }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<User['role']>(user?.role ?? 'user');
  const [password, setPassword] = useState('');
  const send = async (): Promise<void> => {
    if (!user) await request('api/v1/admin/users', { body: { name, password, role } });
    else await request(`api/v1/admin/users/${user.id}`, { method: 'PATCH', body: { ...(role !== user.role || !password ? { role } : {}), ...(password ? { password } : {}) } });
    reload();
    onClose();
  };
  return (
    <Form action={user ? common('save') : t('create')} send={send} onClose={onClose}>
      {!user && <Field label={t('user')}><input required autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} /></Field>}
      <RoleField value={role} onChange={setRole} />
      <Field label={user ? t('newPassword') : t('password')} note={user ? t('keep') : t('short')}>
        <input type="password" required={!user} autocomplete="new-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
      </Field>
    </Form>
  );
}

/** Which dialog is open, and about whom. */
type Open<T> = { kind: 'edit' | 'remove'; row: T } | { kind: 'new' } | null;

const userColumns = (setOpen: (open: Open<User>) => void): Column<User>[] => [
  { key: 'name', head: t('user'), sort: (row) => row.name, cell: (row) => <b>{row.name}</b> },
  { key: 'role', head: t('role'), sort: (row) => row.role, cell: (row) => <span class="tag">{row.role}</span> },
  { key: 'login', head: t('lastLogin'), isNumber: true, sort: (row) => row.last_login, cell: (row) => since(row.last_login) },
  { key: 'created', head: t('created'), isNumber: true, priority: 2, sort: (row) => row.created, cell: (row) => since(row.created) },
  { key: 'actions', head: common('menu'), isHeadHidden: true, isNumber: true, cell: (row) => (
    <span class="row-actions">
      <button type="button" class="button" aria-label={`${common('edit')}: ${row.name}`} onClick={() => setOpen({ kind: 'edit', row })}>{common('edit')}</button>
      <button type="button" class="button danger" aria-label={`${t('remove')}: ${row.name}`} onClick={() => setOpen({ kind: 'remove', row })}>{t('remove')}</button>
    </span>
  ) },
];

export function Users({ isOpen }: { isOpen: boolean }) {
  const loaded = useApi<User[]>('api/v1/admin/users', false);
  const [open, setOpen] = useState<Open<User>>(null);
  const close = (): void => setOpen(null);
  const remove = async (user: User): Promise<void> => {
    await request(`api/v1/admin/users/${user.id}`, { method: 'DELETE' });
    loaded.reload();
    close();
  };
  return (
    <>
      {isOpen && <p class="muted note">{t('open')}</p>}
      <Card isFlush title={t('users')} actions={<button type="button" class="button primary" onClick={() => setOpen({ kind: 'new' })}><Icon name="plus" />{t('addUser')}</button>}>
        <Load loaded={loaded}>{(data) => <Table caption={t('users')} id={(row) => String(row.id)} rows={data} columns={userColumns(setOpen)} empty={<Empty>{t('noUsers')}</Empty>} />}</Load>
      </Card>
      <Dialog isOpen={open?.kind === 'new' || open?.kind === 'edit'} onClose={close} title={open?.kind === 'edit' ? open.row.name : t('addUser')} class="drawer">
        <UserForm user={open?.kind === 'edit' ? open.row : null} reload={loaded.reload} onClose={close} />
      </Dialog>
      <Dialog isOpen={open?.kind === 'remove'} onClose={close} title={t('remove')}>
        {open?.kind === 'remove' && <Form action={t('remove')} isDanger send={() => remove(open.row)} onClose={close}><p>{t('removeUser', { name: open.row.name })}</p></Form>}
      </Dialog>
    </>
  );
}

// ---- tokens ----

function Scopes({ value, onChange }: { value: string[]; onChange: (scopes: string[]) => void }) {
  return (
    <fieldset class="choices">
      <legend>{t('scopes')}</legend>
      {SCOPES.map((scope) => (
        <label key={scope}>
          <input type="checkbox" checked={value.includes(scope)} onChange={(event) => onChange(event.currentTarget.checked ? [...value, scope] : value.filter((one) => one !== scope))} />
          <span>{t(scope)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function TokenForm({ users, isOpen, reload, onClose }: ChangeProps & { users: User[]; isOpen: boolean }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(['read']);
  const [days, setDays] = useState(0);
  const [owner, setOwner] = useState(isOpen ? users[0]?.name ?? '' : '');
  const [secret, setSecret] = useState('');
  const send = async (): Promise<void> => {
    const expires = days > 0 ? { expires: new Date(Date.now() + days * 86_400_000).toISOString() } : {};
    const body = { name, scopes: SCOPES.filter((scope) => scopes.includes(scope)).join(','), ...expires, ...(owner ? { user: owner } : {}) };
    setSecret((await request<{ token: string }>('api/v1/admin/tokens', { body })).token);
    reload();
  };
  if (secret) return <div role="status"><p>{t('once')}</p><Code>{secret}</Code><div class="form-actions"><button type="button" class="button primary" onClick={onClose}>{t('done')}</button></div></div>;
  return (
    <Form action={t('create')} send={send} onClose={onClose}>
      <Field label={t('token')}><input required autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} /></Field>
      <Scopes value={scopes} onChange={setScopes} />
      <Field label={t('owner')}>
        <select value={owner} onChange={(event) => setOwner(event.currentTarget.value)}>
          {!isOpen && <option value="">–</option>}
          {users.map((user) => <option key={user.id}>{user.name}</option>)}
        </select>
      </Field>
      <Field label={t('expires')}>
        <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
          <option value={0}>{t('never')}</option>
          {EXPIRY_DAYS.map((n) => <option key={n} value={n}>{t('inDays', { n })}</option>)}
        </select>
      </Field>
    </Form>
  );
}

const day = (time: string | null): string => (time ? new Date(time).toISOString().slice(0, 10) : t('never'));

const tokenColumns = (setOpen: (open: Open<Token>) => void): Column<Token>[] => [
  { key: 'name', head: t('token'), sort: (row) => row.name, cell: (row) => <b>{row.name}</b> },
  { key: 'hint', head: t('starts'), priority: 2, cell: (row) => <code>{row.hint}…</code> },
  { key: 'owner', head: t('owner'), priority: 2, sort: (row) => row.user, cell: (row) => row.user },
  { key: 'scopes', head: t('scopes'), cell: (row) => row.scopes.map((scope) => <span key={scope} class="tag">{scope}</span>) },
  { key: 'expires', head: t('expires'), isNumber: true, priority: 2, sort: (row) => row.expires, cell: (row) => day(row.expires) },
  { key: 'created', head: t('created'), isNumber: true, priority: 3, sort: (row) => row.created, cell: (row) => since(row.created) },
  { key: 'actions', head: common('menu'), isHeadHidden: true, isNumber: true, cell: (row) => <button type="button" class="button danger" aria-label={`${t('revoke')}: ${row.name}`} onClick={() => setOpen({ kind: 'remove', row })}>{t('revoke')}</button> },
];

export function Tokens({ isOpen }: { isOpen: boolean }) {
  const loaded = useApi<Token[]>('api/v1/admin/tokens', false);
  const users = useApi<User[]>('api/v1/admin/users', false);
  const [open, setOpen] = useState<Open<Token>>(null);
  const close = (): void => setOpen(null);
  const revoke = async (token: Token): Promise<void> => {
    await request(`api/v1/admin/tokens/${token.id}`, { method: 'DELETE' });
    loaded.reload();
    close();
  };
  return (
    <>
      <Card isFlush title={t('tokens')} actions={<button type="button" class="button primary" onClick={() => setOpen({ kind: 'new' })}><Icon name="plus" />{t('newToken')}</button>}>
        <Load loaded={loaded}>{(data) => <Table caption={t('tokens')} id={(row) => String(row.id)} rows={data} columns={tokenColumns(setOpen)} empty={<Empty>{t('noTokens')}</Empty>} />}</Load>
      </Card>
      <Dialog isOpen={open?.kind === 'new'} onClose={close} title={t('newToken')} class="drawer">
        <TokenForm users={users.data ?? []} isOpen={isOpen} reload={loaded.reload} onClose={close} />
      </Dialog>
      <Dialog isOpen={open?.kind === 'remove'} onClose={close} title={t('revoke')}>
        {open?.kind === 'remove' && <Form action={t('revoke')} isDanger send={() => revoke(open.row)} onClose={close}><p>{t('revokeToken', { name: open.row.name })}</p></Form>}
      </Dialog>
    </>
  );
}
