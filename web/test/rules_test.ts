// What the pages Cache and Errors work out by themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, MEASURES, nameOf, worstOf, type CacheRow } from '../src/lib/cache_rules';
import { byOperation, matches, type Group } from '../src/lib/error_groups';

const row = (changes: Partial<CacheRow>): CacheRow => ({
  service: 's', cache: 'c', status: 'good', hits: 0, misses: 0, hit_ratio: null, hit_ratio_hour: 0.9, hit_ratio_day: null, operations: 0,
  response_average_seconds: 0.001, evictions: 0, entries: 0, memory_bytes: 0, memory_peak_bytes: 0, fragmentation_ratio: 0, slow_operations: 0,
  hits_per_second: null, misses_per_second: null,
  thresholds: { min_hit_rate: 0.8, max_memory_usage_mb: 512, max_response_time_ms: 100, max_fragmentation: 0.3 },
  ...changes,
});
const [hitRate, memory, response] = MEASURES;

test('a hit rate is good down to its limit, critical a quarter below it', () => {
  assert.deepEqual([0.8, 0.79, 0.61, 0.59].map((ratio) => judge(hitRate, row({ hit_ratio_hour: ratio }))), ['good', 'warning', 'warning', 'critical']);
  assert.equal(judge(hitRate, row({ hit_ratio_hour: null })), 'unknown');
});

test('memory and response time are good up to their limits, in the units of the thresholds', () => {
  const mib = 1 << 20;
  assert.deepEqual([512, 513, 640, 641].map((size) => judge(memory, row({ memory_bytes: size * mib }))), ['good', 'warning', 'warning', 'critical']);
  assert.deepEqual([0.1, 0.101, 0.126].map((seconds) => judge(response, row({ response_average_seconds: seconds }))), ['good', 'warning', 'critical']);
});

test('the worst cache is the one nearest to its own limit', () => {
  const far = row({ cache: 'far', memory_bytes: 300 << 20 });
  const near = row({ cache: 'near', memory_bytes: 50 << 20, thresholds: { ...far.thresholds, max_memory_usage_mb: 64 } });
  assert.equal(worstOf(memory, [far, near, row({ memory_bytes: null })])?.cache, 'near');
  assert.equal(worstOf(hitRate, [row({ cache: 'a', hit_ratio_hour: 0.95 }), row({ cache: 'b', hit_ratio_hour: 0.81 })])?.cache, 'b');
  assert.equal(worstOf(memory, []), null);
});

test('a cache called like its service is named once', () => {
  assert.equal(nameOf({ service: 'redis', cache: 'redis' }), 'redis');
  assert.equal(nameOf({ service: 'shop', cache: 'users' }), 'shop / users');
});

const group = (changes: Partial<Group>): Group => ({
  id: 1, app: 'a', operation: 'upload', error_type: 'X', message: 'm', sample: 'disk full', sample_type: '', count: 1, users: 0,
  first_seen: '', last_seen: '', state: 'open', reopened: 0, ...changes,
});

test('the events of a class are spread over its operations, of the same application only', () => {
  const groups = [
    group({ count: 2 }), group({ id: 2, count: 1 }), group({ id: 3, operation: 'encode', count: 9 }),
    group({ id: 4, app: 'b', count: 100 }), group({ id: 5, error_type: 'Y', count: 100 }),
  ];
  assert.deepEqual(byOperation(groups, groups[0]), [{ operation: 'encode', share: 0.75 }, { operation: 'upload', share: 0.25 }]);
});

test('a filter wants all its words, in any field and case', () => {
  assert.ok(matches(group({}), 'DISK upl'));
  assert.ok(matches(group({}), '  '));
  assert.ok(!matches(group({}), 'disk encode'));
});
