// Who is looking: asked once at the start, and after signing in or out.
import { cell } from './cell';
import { ApiError, onUnauthorized, request, setToken, token } from './api';
import { go, route } from './nav';

export interface User { name: string; role: 'viewer' | 'editor' | 'admin'; scopes: string[] }
export interface Access { access: 'required' | 'open'; has_admin: boolean }

/** Null until it is known, and while nobody is signed in. */
export const user = cell<User | null>(null);
/** Null until it is known. */
export const access = cell<Access | null>(null);

/** Nobody asks the server for data before this: it would say 401. */
export const isSignedIn = (): boolean => user.value !== null || access.value?.access === 'open';

export const isAdmin = (): boolean => user.value?.role === 'admin' || access.value?.access === 'open';

const isSignInPage = (): boolean => route.value.page === 'login' || route.value.page === 'setup';

function showSignIn(): void {
  user.set(null);
  if (isSignInPage()) return;
  const next = location.hash.replace(/^#/, '');
  if (access.value?.has_admin === false) go('setup');
  else go('login', '', { next: next || null });
}
onUnauthorized(showSignIn);

/** Ask who we are. Shows the sign-in page when that is needed. */
export async function loadSession(): Promise<void> {
  access.set(await request<Access>('api/auth/status', { isPublic: true }));
  if (access.value?.access === 'required' && token.value === null) {
    showSignIn();
    return;
  }
  try {
    user.set(await request<User>('api/auth/me'));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
}

/** Take the answer of /api/auth/login or /setup, and go to where the user wanted to be. */
export async function enter(session: { token: string }): Promise<void> {
  const next = route.value.query.get('next');
  setToken(session.token);
  access.set({ access: access.value?.access ?? 'required', has_admin: true });
  user.set(await request<User>('api/auth/me'));
  location.hash = next?.startsWith('/') ? '#' + next : '#/overview';
}

export async function leave(): Promise<void> {
  try {
    await request('api/auth/logout', { method: 'POST' });
  } finally {
    setToken(null);
    user.set(null);
    go('login');
  }
}
