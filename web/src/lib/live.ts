// Live: one event stream per tab says when there is new data; pages then ask for what they show.
//
// 1. `tick` changes when a page should ask again. It does not while the user paused, the tab is hidden,
//    the pointer rests on a chart, or the range has an end.
// 2. Without a stream (an old proxy, a limit of the server) a timer ticks instead, and the stream is
//    tried again now and then.
import { authHeaders, apiPath, lostSince } from './api';
import { cell } from './cell';
import { route } from './nav';
import { historyStep, rangeOf, rangeSeconds } from './range';
import { isSignedIn, user } from './session';
import { eventReader } from './sse';

/** The user's switch. */
export const isLive = cell(true);
/** Counts up when new data is there. */
export const tick = cell(0);
/** Counts up when the user changed something. */
export const changes = cell(0);

const EVERY_SECOND_UP_TO_S = 3600;
const TIMER_SHORTEST_S = 5;
const TIMER_LONGEST_S = 60;
const RETRY_FIRST_MS = 2000;
const RETRY_LAST_MS = 60_000;

let holders = 0;
let hasMissed = false;

/** Nothing moves while somebody reads a value: call with true, later with false. */
export function hold(on: boolean): void {
  holders = Math.max(0, holders + (on ? 1 : -1));
  if (holders === 0 && hasMissed) announce();
}

function isWanted(): boolean {
  return isSignedIn() && isLive.value && !document.hidden && rangeOf(route.value.query).kind === 'last';
}

function announce(): void {
  hasMissed = holders > 0 || !isWanted();
  if (!hasMissed) tick.set(tick.value + 1);
}

/** Ask again now, whatever "live" says and is under way: after a change that the user made. */
export const refresh = (): void => changes.set(changes.value + 1);

// ---- the stream ----

let stream: AbortController | null = null;
let streamRange = '';
let retryTimer = 0;
let retryMs = RETRY_FIRST_MS;
let tickTimer = 0;

function currentRange(): string {
  const range = rangeOf(route.value.query);
  return range.kind === 'last' ? range.name : '';
}

async function read(range: string, controller: AbortController): Promise<void> {
  const response = await fetch(apiPath('v1/stream', { topics: 'tick', range }), {
    headers: { Accept: 'text/event-stream', ...authHeaders() }, signal: controller.signal,
  });
  if (!response.ok || !response.body) throw new Error(`stream: ${response.status}`);
  stopTimer();
  retryMs = RETRY_FIRST_MS;
  const next = eventReader();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('stream: ended');
    lostSince.set(null);
    if (next(value).some((event) => event.event === 'tick' || event.event === 'lag')) announce();
  }
}

function open(range: string): void {
  const controller = new AbortController();
  stream = controller;
  streamRange = range;
  read(range, controller).catch(() => {
    if (stream !== controller) return; // replaced or closed by us
    stream = null;
    startTimer();
    retryTimer = window.setTimeout(update, retryMs);
    retryMs = Math.min(RETRY_LAST_MS, retryMs * 2);
  });
}

function close(): void {
  clearTimeout(retryTimer);
  stream?.abort();
  stream = null;
  stopTimer();
}

function startTimer(): void {
  stopTimer();
  const range = rangeOf(route.value.query);
  const step = rangeSeconds(range) <= EVERY_SECOND_UP_TO_S ? TIMER_SHORTEST_S : historyStep(range);
  tickTimer = window.setInterval(announce, Math.min(TIMER_LONGEST_S, Math.max(TIMER_SHORTEST_S, step)) * 1000);
}

function stopTimer(): void {
  clearInterval(tickTimer);
}

/** Open, close or replace the stream so that it fits what is shown. */
function update(): void {
  if (!isWanted()) {
    close();
    return;
  }
  if (stream && streamRange === currentRange()) return;
  close();
  open(currentRange());
}

export function startLive(): void {
  document.addEventListener('visibilitychange', () => {
    update();
    if (!document.hidden && hasMissed) announce();
  });
  isLive.subscribe(() => {
    update();
    if (isLive.value) announce();
  });
  route.subscribe(update);
  user.subscribe(update);
  addEventListener('pagehide', close);
  update();
}
