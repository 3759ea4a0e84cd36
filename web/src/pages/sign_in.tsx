// Signing in, and making the first administrator with the one-time link `#/setup/CODE`.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../lib/action';
import { ApiError, request } from '../lib/api';
import { useCell } from '../lib/cell';
import { lang, strings } from '../lib/lang';
import { go } from '../lib/nav';
import type { Page } from '../lib/page';
import { access, enter } from '../lib/session';
import { Logo } from '../ui/icons';
import { LanguageButton } from '../ui/language';
import { Code, Field, Refusal } from '../ui/parts';

const PASSWORD_BYTES_MIN = 10;

const t = strings(
  {
    signIn: 'Sign in', name: 'User name', password: 'Password', again: 'Password, again', create: 'Create administrator',
    wrong: 'Name or password is wrong.', wait: 'Too many tries: wait a while.', differ: 'The two passwords differ.', short: 'At least {n} bytes.',
    forgotten: 'Password forgotten? An administrator sets a new one, or on the server:',
    first: 'The first administrator', firstHint: 'This link works once. Everybody else is added later, under Admin.',
    noAdmin: 'This server has no administrator yet. The link that makes the first one was printed when it started, or its code is in the file setup-code of the data directory. A new link:',
    badCode: 'The code is wrong, spent or more than an hour old. A new link: sonde admin setup-link',
  },
  {
    signIn: 'Войти', name: 'Имя пользователя', password: 'Пароль', again: 'Пароль ещё раз', create: 'Создать администратора',
    wrong: 'Неверное имя или пароль.', wait: 'Слишком много попыток: подождите.', differ: 'Пароли различаются.', short: 'Не меньше {n} байт.',
    forgotten: 'Забыли пароль? Новый задаст администратор, или на сервере:',
    first: 'Первый администратор', firstHint: 'Ссылка действует один раз. Остальных добавляют потом в «Управлении».',
    noAdmin: 'У этого сервера ещё нет администратора. Ссылка для первого выведена при запуске, или её код лежит в файле setup-code каталога данных. Новая ссылка:',
    badCode: 'Код неверен, уже использован или старше часа. Новая ссылка: sonde admin setup-link',
  },
);

interface Session { token: string }

/** A request that signs in, and what to say when it does not. */
function useEntry(path: string, refused: () => string) {
  const action = useAction((error) => {
    const status = error instanceof ApiError ? error.status : 0;
    return status === 401 ? refused() : status === 429 ? t('wait') : error.message;
  });
  const submit = (body: object): Promise<void> => action.run(async () => enter(await request<Session>(path, { body, isPublic: true })));
  return { ...action, submit };
}

function Frame({ title, children, onSubmit }: { title?: string; children: ComponentChildren; onSubmit?: () => void }) {
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit?.();
  };
  const body = (
    <>
      <h1><Logo />Sonde</h1>
      {title && <h2>{title}</h2>}
      {children}
      <LanguageButton />
    </>
  );
  return (
    <main class="login" id="main">
      {onSubmit ? <form class="card padded" onSubmit={submit}>{body}</form> : <section class="card padded">{body}</section>}
    </main>
  );
}

interface TextProps { label: string; value: string; onChange: (value: string) => void; autocomplete: string; isSecret?: boolean; note?: string }
function TextField({ label, value, onChange, autocomplete, isSecret = false, note }: TextProps) {
  const onInput = (event: { currentTarget: HTMLInputElement }): void => onChange(event.currentTarget.value);
  return (
    <Field label={label} note={note}>
      {isSecret
        ? <input type="password" required autocomplete={autocomplete} value={value} onInput={onInput} />
        : <input required autocomplete={autocomplete} autocapitalize="none" spellcheck={false} value={value} onInput={onInput} />}
    </Field>
  );
}

function Login() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const entry = useEntry('api/auth/login', () => t('wrong'));
  useCell(lang);
  return (
    <Frame onSubmit={() => void entry.submit({ name, password })}>
      <TextField label={t('name')} value={name} onChange={setName} autocomplete="username" />
      <TextField label={t('password')} value={password} onChange={setPassword} autocomplete="current-password" isSecret />
      <Refusal>{entry.message}</Refusal>
      <button class="button primary large" disabled={entry.isBusy}>{t('signIn')}</button>
      <p class="muted">{t('forgotten')} <code>sonde admin setup-link</code></p>
    </Frame>
  );
}

function FirstAdministrator({ code }: { code: string }) {
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const entry = useEntry('api/auth/setup', () => t('badCode'));
  const submit = (): void => {
    if (new TextEncoder().encode(password).length < PASSWORD_BYTES_MIN) entry.setMessage(t('short', { n: PASSWORD_BYTES_MIN }));
    else if (password !== again) entry.setMessage(t('differ'));
    else void entry.submit({ code, name, password });
  };
  return (
    <Frame title={t('first')} onSubmit={submit}>
      <p class="muted">{t('firstHint')}</p>
      <TextField label={t('name')} value={name} onChange={setName} autocomplete="username" />
      <TextField label={t('password')} value={password} onChange={setPassword} autocomplete="new-password" isSecret note={t('short', { n: PASSWORD_BYTES_MIN })} />
      <TextField label={t('again')} value={again} onChange={setAgain} autocomplete="new-password" isSecret />
      <Refusal>{entry.message}</Refusal>
      <button class="button primary large" disabled={entry.isBusy}>{t('create')}</button>
    </Frame>
  );
}

/** With a code: the first administrator. Without: where the link is. With an administrator: sign-in. */
function Setup({ arg }: { arg: string }) {
  const known = useCell(access);
  useCell(lang);
  if (known?.has_admin) {
    go('login');
    return null;
  }
  if (arg) return <FirstAdministrator code={arg} />;
  return <Frame><p>{t('noAdmin')}</p><Code>sonde admin setup-link</Code></Frame>;
}

export const login: Page = { id: 'login', title: () => t('signIn'), icon: 'user', group: null, View: Login, isBare: true };

export const setup: Page = { id: 'setup', title: () => t('first'), icon: 'user', group: null, View: Setup, isBare: true };
