// Lines, columns and tables: what is drawn of what the server says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byLabel, labelText, linesOf, stacked } from '../src/chart/lines';
import { freeRow } from '../src/chart/overlay';
import { plotData, valueEnds } from '../src/chart/plot';
import { sparkPaths } from '../src/chart/small';
import { heatBuckets } from '../src/chart/heat';
import { mergeHistory, type History, type Series } from '../src/lib/history';
import { zonePlaces } from '../src/ui/parts';
import { formatSorting, parseSorting, sortRows } from '../src/ui/table';

const series = (name: string, avg: (number | null)[], spread = 0): Series => ({
  labels: { instance: name }, avg, min: avg.map((x) => x && x - spread), max: avg.map((x) => x && x + spread),
});

test('one series with a spread is an average in a band', () => {
  const { lines, isMaximum } = linesOf({ series: [series('a', [1, null, 3], 0.5)] });
  assert.deepEqual(lines[0].values, [1, null, 3]);
  assert.deepEqual([lines[0].low, lines[0].high], [[0.5, null, 2.5], [1.5, null, 3.5]]);
  assert.equal(isMaximum, false);
});

test('several series with a spread are their maxima: no peak is averaged away', () => {
  const { lines, isMaximum } = linesOf({ series: [series('a', [1, 2], 1), series('b', [5, 5])] }, { label: ({ instance }) => instance });
  assert.deepEqual(lines.map(({ label, values }) => [label, ...values]), [['a', 2, 3], ['b', 5, 5]]);
  assert.equal(isMaximum, true);
});

test('averages have neither band nor maxima', () => {
  const band = linesOf({ series: [series('a', [1, 2], 1)] }, { isAverage: true });
  assert.deepEqual([band.lines[0].low, band.lines[0].values], [undefined, [1, 2]]);
  const several = linesOf({ series: [series('a', [1, 2], 1), series('b', [5, 5])] }, { isAverage: true });
  assert.deepEqual([several.isMaximum, several.lines[0].values], [false, [1, 2]]);
});

test('of more than eight series the largest are shown and the others counted', () => {
  const { lines, moreCount } = linesOf({ series: Array.from({ length: 11 }, (_, index) => series(`h${index}`, [index, null])) });
  assert.equal(lines.length, 8);
  assert.equal(moreCount, 3);
  assert.equal(lines[0].label, 'instance="h10"'.replace(/^/, '{').replace(/$/, '}'));
});

test('lines of one name are told apart, an error is said', () => {
  const { lines } = linesOf({ series: [series('a', [1]), series('b', [2])] }, { label: () => 'x' });
  assert.deepEqual(lines.map(({ label }) => label), ['x', 'x (2)']);
  assert.equal(linesOf({ errorType: 'bad_data', error: 'no' }).error, 'no');
  assert.deepEqual(linesOf(undefined).lines, []);
});

test('labels are written as PromQL has them', () => {
  assert.equal(labelText({ __name__: 'up', job: 'a"b' }), 'up{job="a\\"b"}');
  assert.equal(labelText({ __name__: 'up' }), 'up');
  assert.equal(labelText({}), '{}');
  assert.equal(byLabel('instance', 'mountpoint')({ instance: 'h', mountpoint: '/' }), 'h /');
});

test('stacks are sums, and a gap stays a gap', () => {
  const lines = [{ label: 'a', values: [1, null, 3] }, { label: 'b', values: [10, 20, null] }];
  assert.deepEqual(stacked(lines), [[1, null, 3], [11, 20, null]]);
  const band = [{ label: 'a', values: [1], low: [0], high: [2] }];
  assert.deepEqual(plotData([5], { lines: band, isStacked: false }), [[5], [1], [2], [0]]);
});

test('the axis begins at zero, holds the data and a threshold that is near', () => {
  const ends = (low: number | null, high: number | null, values: number[] = [], max?: number) =>
    valueEnds({ thresholds: values.map((value) => ({ value, status: 'warning' as const })), max }, low, high).map((x) => Math.round(x * 100) / 100);
  assert.deepEqual(ends(2, 10), [0, 10.8]);
  assert.deepEqual(ends(-5, 10), [-5, 11.2]);
  assert.deepEqual(ends(2, 10, [20, 100]), [0, 21.6]);
  assert.deepEqual(ends(0.2, 0.4, [], 1), [0, 1]);
  assert.deepEqual(ends(0, 0), [0, 1]);
  assert.deepEqual(ends(null, null), [0, 1]);
});

test('labels of marks go to the first free row', () => {
  assert.equal(freeRow([{ left: 0, right: 10, row: 0 }, { left: 5, right: 20, row: 1 }], 8, 12), 2);
  assert.equal(freeRow([{ left: 0, right: 10, row: 0 }], 10, 12), 0);
});

test('a spark breaks at gaps and shows a lone sample', () => {
  const { line, area } = sparkPaths([1, null, 2, 3], 30, 10, 3);
  assert.equal((line.match(/M/g) ?? []).length, 2);
  assert.match(line, /^M0 [\d.]+h0\.01M20 /);
  assert.equal((area.match(/z/g) ?? []).length, 2);
});

test('a heatmap has the buckets that hold anything, and those between', () => {
  const buckets = heatBuckets({ start: 0, step: 60, count: 2, upper: [1, 2, 4, 8, null], counts: [[0, 3, 0, 1, 0], null] });
  assert.deepEqual(buckets.map(({ low, high }) => [low, high]), [[1, 2], [2, 4], [4, 8]]);
  assert.deepEqual(buckets[0].counts, [3, null]);
  assert.deepEqual(heatBuckets({ start: 0, step: 60, count: 1, upper: [1, null], counts: [[0, 0]] }), []);
});

const history = (t: number[], all: Record<string, (number | null)[]>): History => ({
  step: 10, start: t[0], end: t[t.length - 1] + 10, t,
  results: { q: { series: Object.entries(all).map(([name, values]) => series(name, values)) } },
});

test('new steps replace the old ones, older than the range is cut', () => {
  const merged = mergeHistory(history([0, 10, 20, 30], { a: [1, 2, 3, 4], gone: [9, null, null, null] }), history([30, 40], { a: [5, 6], new: [7, 8] }), 10);
  assert.deepEqual(merged.t, [10, 20, 30, 40]);
  const result = merged.results.q;
  assert.ok('series' in result);
  assert.deepEqual(result.series.map(({ labels, avg }) => [labels.instance, ...(avg ?? [])]), [['a', 2, 3, 5, 6], ['new', null, null, 7, 8]]);
  assert.equal(merged.start, 10);
});

test('an error of the newer answer is the result', () => {
  const newer: History = { ...history([10], {}), results: { q: { errorType: 'timeout', error: 'slow' } } };
  assert.deepEqual(mergeHistory(history([0], { a: [1] }), newer, 0).results.q, { errorType: 'timeout', error: 'slow' });
});

test('rows sort by number or name, unknown ones last in both directions', () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }, { n: NaN }, { n: 1 }];
  const sorted = (direction: 1 | -1) => sortRows(rows, ({ n }) => n, direction).map(({ n }) => String(n));
  assert.deepEqual(sorted(1), ['1', '2', '10', 'null', 'NaN']);
  assert.deepEqual(sorted(-1), ['10', '2', '1', 'null', 'NaN']);
  assert.deepEqual(sortRows(['b10', 'b9', 'a'], (x) => x, 1), ['a', 'b9', 'b10']);
  assert.deepEqual(parseSorting('-p95'), { key: 'p95', direction: -1 });
  assert.equal(formatSorting({ key: 'p95', direction: 1 }), 'p95');
  assert.equal(parseSorting(''), null);
});

test('a thousand rows sort in a few milliseconds', () => {
  const rows = Array.from({ length: 1000 }, (_, index) => ({ name: `service-${(index * 7919) % 1000}` }));
  const began = performance.now();
  sortRows(rows, ({ name }) => name, 1);
  assert.ok(performance.now() - began < 500);
});

test('zones hold the value, whatever it is', () => {
  for (const value of [0, 5, 30, 42, 60, 1000, 1e9]) {
    const places = zonePlaces({ value, good: 30, critical: 60, higherIsBetter: false });
    assert.ok(places.low <= places.high && places.value >= 0 && places.value <= 100);
    assert.equal(value < 30, places.value < places.low);
  }
  for (const value of [0, 0.5, 0.9, 0.934, 0.95, 1]) {
    const places = zonePlaces({ value, good: 0.95, critical: 0.9, higherIsBetter: true });
    assert.ok(places.low <= places.high && places.value >= 0 && places.value <= 100);
    assert.equal(value >= 0.95, places.value >= places.high - 1e-9);
  }
});
