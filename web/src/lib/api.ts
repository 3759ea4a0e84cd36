// Requests to the server. Addresses are relative, so that the dashboard works below any prefix.
//
// 1. An answer is `data` of {"status":"success","data":..}; anything else is an ApiError with the
//    server's sentence.
// 2. Reading is tried again after a lost connection, 429 and 503; writing never is.
// 3. 401 ends the session: `onUnauthorized` shows the sign-in page.
import { cell } from './cell';
import { recall, remember } from './storage';

export class ApiError extends Error {
  /** @param status of HTTP; 0: no answer. @param type the server's word for the kind of error. */
  constructor(readonly status: number, readonly type: string, message: string) {
    super(message);
  }
}

/** Null while the server answers; else since when it does not, in Unix seconds. */
export const lostSince = cell<number | null>(null);
/** When the last answer came, in Unix seconds. */
let answeredAt = Date.now() / 1000;

const RETRY_DELAYS_MS = [300, 1200];
const TOKEN_KEY = 'session';

/** The token of the session; null when nobody is signed in, or nobody needs to be. */
export const token = cell<string | null>(recall(TOKEN_KEY));
export function setToken(next: string | null): void {
  remember(TOKEN_KEY, next);
  token.set(next);
}

let unauthorized: () => void = () => {};
/** What to do when the server asks for sign-in. */
export function onUnauthorized(action: () => void): void {
  unauthorized = action;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON. */
  body?: unknown;
  /** A form instead of JSON, as the Prometheus API takes long queries. */
  form?: URLSearchParams;
  signal?: AbortSignal;
  /** A POST that only reads, and so may be tried again. */
  isReading?: boolean;
  /** Told how many characters the answer has. */
  onSize?: (size: number) => void;
  /** Sign-in itself: 401 is an answer, not the end of a session. */
  isPublic?: boolean;
}

/** Headers of a request: also for the stream, which reads its answer itself. */
export function authHeaders(): Record<string, string> {
  return token.value ? { Authorization: `Bearer ${token.value}` } : {};
}

function noteAnswer(): void {
  answeredAt = Date.now() / 1000;
  lostSince.set(null);
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const headers = authHeaders();
  let body: string | URLSearchParams | undefined = options.form;
  if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(options.body);
  }
  const method = options.method ?? (body === undefined ? 'GET' : 'POST');
  try {
    const response = await fetch(path, { method, headers, body, signal: options.signal });
    noteAnswer();
    return response;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (lostSince.value === null) lostSince.set(answeredAt);
    throw new ApiError(0, 'lost', 'no answer from the server');
  }
}

interface Envelope { status?: string; data?: unknown; errorType?: string; error?: string }

async function unpack<T>(response: Response, onSize?: (size: number) => void): Promise<T> {
  const text = await response.text();
  onSize?.(text.length);
  let body: Envelope | null = null;
  try {
    body = text ? (JSON.parse(text) as Envelope) : {};
  } catch {
    // Not ours: a proxy between us, for example. The status says enough.
  }
  if (!response.ok || body === null || body.status === 'error') {
    const message = body?.error ?? `${response.status} ${response.statusText}`.trim();
    throw new ApiError(response.status, body?.errorType ?? 'http', message);
  }
  return (body.status === 'success' && 'data' in body ? body.data : body) as T;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status === 503);

/** Ask the server. Rejects with an ApiError, or an AbortError when the signal says so. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const isReading = options.isReading ?? (options.body === undefined && options.form === undefined && (options.method ?? 'GET') === 'GET');
  for (let attempt = 0; ; attempt++) {
    try {
      return await unpack<T>(await send(path, options), options.onSize);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401 && !options.isPublic) {
        setToken(null);
        unauthorized();
        throw error;
      }
      if (!isReading || !isPassing(error) || attempt >= RETRY_DELAYS_MS.length || options.signal?.aborted) throw error;
      await pause(RETRY_DELAYS_MS[attempt]);
    }
  }
}

/** "api/v1/services?q=a" of a path below api/ and its parameters; undefined ones are left out. */
export function apiPath(path: string, params: Record<string, string | number | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text ? `api/${path}?${text}` : `api/${path}`;
}
