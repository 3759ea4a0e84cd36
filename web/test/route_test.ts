// Addresses and time ranges.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neighbour, parseDuration, parseTime, rangeEnds, rangeOf, rangeParams, stepFor } from '../src/lib/range';
import { formatHash, parseHash, withParams } from '../src/lib/route';

test('an address is page, argument and query, and back', () => {
  const cases: [string, string, string, string][] = [
    ['', 'overview', '', ''],
    ['#/', 'overview', '', ''],
    ['#/services', 'services', '', ''],
    ['#/services/flux-worker?range=6h', 'services', 'flux-worker', 'range=6h'],
    ['#/services/a%2Fb%20c', 'services', 'a/b c', ''],
    ['#/services/a/b', 'services', 'a/b', ''],
    ['#/explore?q=up%7Bjob%3D%22a%22%7D&q=x%3F', 'explore', '', 'q=up%7Bjob%3D%22a%22%7D&q=x%3F'],
    ['#/x?', 'x', '', ''],
    ['#/%zz', '%zz', '', ''],
  ];
  for (const [hash, page, arg, query] of cases) {
    const route = parseHash(hash);
    assert.deepEqual([route.page, route.arg, route.query.toString()], [page, arg, query]);
    const again = parseHash(formatHash(route));
    assert.deepEqual([again.page, again.arg, again.query.toString()], [page, arg, query]);
  }
});

test('parameters are set, repeated and removed', () => {
  const query = withParams(new URLSearchParams('a=1&b=2'), { a: null, b: ['x', 'y'], c: 'z' });
  assert.equal(query.toString(), 'b=x&b=y&c=z');
});

test('a range is of the address, and what is wrong becomes the usual one', () => {
  const range = (text: string) => rangeOf(new URLSearchParams(text));
  assert.deepEqual(range(''), { kind: 'last', name: '6h', seconds: 21600 });
  assert.deepEqual(range('range=7d'), { kind: 'last', name: '7d', seconds: 7 * 86400 });
  assert.deepEqual(range('range=90m'), { kind: 'last', name: '90m', seconds: 5400 });
  assert.deepEqual(range('range=1s').kind === 'last' && range('range=1s'), { kind: 'last', name: '6h', seconds: 21600 });
  assert.deepEqual(range('range=400d'), { kind: 'last', name: '6h', seconds: 21600 });
  assert.deepEqual(range('range=nonsense'), { kind: 'last', name: '6h', seconds: 21600 });
  assert.deepEqual(range('from=100&to=200&range=7d'), { kind: 'between', from: 100, to: 200 });
  assert.deepEqual(range('from=200&to=100').kind, 'last');
  assert.deepEqual(rangeParams(range('from=100&to=200')), { start: '100', end: '200' });
  assert.deepEqual(rangeParams(range('range=24h')), { range: '24h' });
});

test('a range ends now, or where it says', () => {
  assert.deepEqual(rangeEnds({ kind: 'last', name: '1h', seconds: 3600 }, 10_000), [6400, 10_000]);
  assert.deepEqual(rangeEnds({ kind: 'between', from: 100, to: 200 }, 10_000), [100, 200]);
});

test('"[" and "]" go to the next range of the menu', () => {
  assert.equal(neighbour({ kind: 'last', name: '6h', seconds: 21600 }, 1), '24h');
  assert.equal(neighbour({ kind: 'last', name: '6h', seconds: 21600 }, -1), '1h');
  assert.equal(neighbour({ kind: 'between', from: 0, to: 7000 }, 1), '6h');
  assert.equal(neighbour({ kind: 'last', name: '30d', seconds: 30 * 86400 }, 1), null);
  assert.equal(neighbour({ kind: 'last', name: '15m', seconds: 900 }, -1), null);
});

test('a step is nice and gives no more points than asked for', () => {
  assert.equal(stepFor(3600, 240), 15);
  assert.equal(stepFor(21600, 240), 120);
  assert.equal(stepFor(30 * 86400, 240), 21600);
  assert.equal(stepFor(365 * 86400, 240), 2 * 86400);
  for (const seconds of [60, 899, 3601, 86400, 1e7]) assert.ok(seconds / stepFor(seconds, 240) <= 240);
});

test('durations are number and unit', () => {
  assert.equal(parseDuration('90s'), 90);
  assert.equal(parseDuration('1.5h'), 5400);
  assert.equal(parseDuration('2w'), 14 * 86400);
  for (const text of ['', '5', 'h', '5x', '-5m', '5m3']) assert.equal(parseDuration(text), null);
});

test('times are what people type, in their zone', () => {
  const now = new Date(2026, 10, 28, 15, 30).getTime() / 1000;
  const at = (...parts: [number, number, number, number?, number?]): number => new Date(...(parts as [number, number, number])).getTime() / 1000;
  assert.equal(parseTime('now', now), now);
  assert.equal(parseTime('сейчас', now), now);
  assert.equal(parseTime('2h ago', now), now - 7200);
  assert.equal(parseTime('-30m', now), now - 1800);
  assert.equal(parseTime('today', now), at(2026, 10, 28));
  assert.equal(parseTime('Yesterday', now), at(2026, 10, 27));
  assert.equal(parseTime('вчера', now), at(2026, 10, 27));
  assert.equal(parseTime('14:30', now), new Date(2026, 10, 28, 14, 30).getTime() / 1000);
  assert.equal(parseTime('2026-11-01', now), at(2026, 10, 1));
  assert.equal(parseTime('2026-11-01 14:30', now), new Date(2026, 10, 1, 14, 30).getTime() / 1000);
  assert.equal(parseTime('2026-11-01T14:30:00Z', now), Date.UTC(2026, 10, 1, 14, 30) / 1000);
  assert.equal(parseTime('1764294000', now), 1764294000);
  for (const text of ['', 'soon', '25:00', '12:60', '2026-13-01', '5']) assert.equal(parseTime(text, now), null);
});
