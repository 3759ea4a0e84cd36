// What the pages System, Memory, Cache and Usage compute.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { lang } from '../src/lib/lang';
import { timesOf } from '../src/lib/range';
import type { HostRow } from '../src/lib/types';
import { hostCards } from '../src/pages/host_parts';
import { fieldsOf, isBeyond, limitOf, limitPlaces, MEASURES, parseFields, sharedLimit, worstOf, type CacheRow, type Thresholds } from '../src/lib/cache_rules';
import { diskUsed, fullness, worstHosts } from '../src/lib/host_rules';
import { hasCollector, limitRatio, slopeText, type MemoryRow } from '../src/lib/memory_rules';
import { change, judge, largest, REFUNDS, shareOf, SUCCESS } from '../src/lib/usage_rules';

const MIB = 1024 * 1024;
const [HIT_RATE, MEMORY, RESPONSE] = MEASURES;
const LIMITS: Thresholds = { min_hit_rate: 0.8, max_memory_usage_mb: 512, max_response_time_ms: 100, max_fragmentation: 0.3 };
const cache = (name: string, parts: Partial<CacheRow>): CacheRow =>
  ({ service: 's', cache: name, hit_ratio: null, hit_ratio_hour: null, memory_bytes: null, response_average_seconds: null, fragmentation_ratio: null, thresholds: LIMITS, alerts: [], ...parts }) as CacheRow;

afterEach(() => lang.set('en'));

test('a limit is in base units', () => {
  assert.equal(limitOf(HIT_RATE, LIMITS), 0.8);
  assert.equal(limitOf(MEMORY, LIMITS), 512 * MIB);
  assert.equal(limitOf(RESPONSE, LIMITS), 0.1);
});

test('the worst cache is nearest to its own limit, not the largest', () => {
  const wide = cache('wide', { memory_bytes: 900 * MIB, thresholds: { ...LIMITS, max_memory_usage_mb: 2048 } });
  const tight = cache('tight', { memory_bytes: 500 * MIB });
  assert.equal(worstOf([wide, tight], MEMORY)?.row.cache, 'tight');
  assert.equal(worstOf([wide], MEMORY)?.limit, 2048 * MIB);
});

test('a low hit rate is worse than a high one, and no value is none', () => {
  const rows = [cache('a', { hit_ratio_hour: 0.9 }), cache('b', { hit_ratio_hour: 0.5 }), cache('c', {})];
  assert.deepEqual([worstOf(rows, HIT_RATE)?.row.cache, worstOf(rows, HIT_RATE)?.value], ['b', 0.5]);
  assert.equal(worstOf([cache('c', {})], HIT_RATE), null);
  assert.equal(worstOf([], HIT_RATE), null);
});

test('a cache with an alert comes before one that is nearer to its limit', () => {
  const alert = cache('alert', { memory_bytes: 490 * MIB, alerts: [{ alert: 'high_memory_usage', value: 520, limit: 'max_memory_usage_mb', threshold: 512 }] });
  assert.equal(worstOf([cache('near', { memory_bytes: 511 * MIB }), alert], MEMORY)?.row.cache, 'alert');
  assert.equal(worstOf([cache('beyond', { memory_bytes: 700 * MIB }), alert], MEMORY)?.row.cache, 'beyond');
});

test('a limit holds at both of its sides', () => {
  assert.deepEqual([512, 513].map((size) => isBeyond(cache('c', { memory_bytes: size * MIB }), MEMORY)), [false, true]);
  assert.deepEqual([0.8, 0.799, null].map((ratio) => isBeyond(cache('c', { hit_ratio_hour: ratio }), HIT_RATE)), [false, true, false]);
});

test('a line for all caches needs a limit that they share', () => {
  const other = cache('other', { thresholds: { ...LIMITS, min_hit_rate: 0.5 } });
  assert.equal(sharedLimit([cache('a', {}), other], HIT_RATE), null);
  assert.equal(sharedLimit([cache('a', {}), other], MEMORY), 512 * MIB);
  assert.equal(sharedLimit([other], HIT_RATE), 0.5);
  assert.equal(sharedLimit([], HIT_RATE), null);
});

test('a bar holds value and limit, whatever they are', () => {
  assert.deepEqual(limitPlaces(HIT_RATE, 0.5, 0.8), { value: 50, limit: 80 });
  assert.deepEqual(limitPlaces(MEMORY, 0, 512), { value: 0, limit: (1 / 1.5) * 100 });
  const beyond = limitPlaces(MEMORY, 5120, 512);
  assert.ok(beyond.value < 100 && beyond.value > 90 && beyond.limit < 10);
  assert.deepEqual(limitPlaces(RESPONSE, 0, 0), { value: 0, limit: 0 });
});

test('limits are typed in percent, and come back as they were', () => {
  const odd = { ...LIMITS, min_hit_rate: 0.29, max_fragmentation: 0.07 }; // 0.29 * 100 is 28.999999999999996
  assert.deepEqual(fieldsOf(odd), { min_hit_rate: '29', max_memory_usage_mb: '512', max_response_time_ms: '100', max_fragmentation: '7' });
  assert.deepEqual(parseFields(fieldsOf(odd), odd), { changes: {}, wrong: [] });
  assert.deepEqual(parseFields({ ...fieldsOf(odd), min_hit_rate: ' 92,5 ' }, odd).changes, { min_hit_rate: 0.925 });
  assert.deepEqual(parseFields({ ...fieldsOf(odd), min_hit_rate: '58' }, odd).changes, { min_hit_rate: 0.58 });
});

test('what is no limit is named', () => {
  const parse = (fields: object): string[] => parseFields({ ...fieldsOf(LIMITS), ...fields }, LIMITS).wrong;
  for (const text of ['', 'x', '-1', '100.1', 'NaN', 'Infinity', '1e']) assert.deepEqual(parse({ min_hit_rate: text }), ['min_hit_rate']);
  for (const text of ['', '0', '-5', 'Infinity']) assert.deepEqual(parse({ max_memory_usage_mb: text }), ['max_memory_usage_mb']);
  for (const text of ['0', '100']) assert.deepEqual(parse({ max_fragmentation: text }), []);
  assert.deepEqual(parse({ min_hit_rate: '', max_response_time_ms: '0' }), ['min_hit_rate', 'max_response_time_ms']);
});

test('the part of a memory limit needs both', () => {
  assert.equal(limitRatio({ bytes: 512, limit_bytes: 1024 }), 0.5);
  assert.equal(limitRatio({ bytes: 0, limit_bytes: 1024 }), 0);
  assert.equal(limitRatio({ bytes: 512, limit_bytes: null }), null);
  assert.equal(limitRatio({ bytes: 512 }), null);
  assert.equal(limitRatio({ bytes: null, limit_bytes: 1024 }), null);
  assert.equal(limitRatio({ bytes: 1, limit_bytes: 0 }), null);
});

test('a slope has its sign, and a tremble is none', () => {
  assert.equal(slopeText(null), '–');
  assert.equal(slopeText(1023), '0\u202fB');
  assert.equal(slopeText(-1023), '0\u202fB');
  assert.equal(slopeText(5 * MIB), '+5\u202fMiB');
  assert.equal(slopeText(-5 * MIB), '−5\u202fMiB');
  lang.set('ru');
  assert.equal(slopeText(5 * MIB), '+5\u202fМиБ');
});

test('a collector is one that has paused', () => {
  const row = (pauses: number | null) => ({ gc_pauses: pauses }) as MemoryRow;
  assert.equal(hasCollector([row(null), row(0)]), false);
  assert.equal(hasCollector([row(null), row(1)]), true);
});

test('a resource is nearly full above its limit, not at it', () => {
  assert.deepEqual([0, 0.9, 0.901, 0.95, 0.951, null].map(fullness), ['good', 'good', 'warning', 'warning', 'critical', 'unknown']);
});

test('hosts: worst first, then the fullest disk, then the name', () => {
  const host = (name: string, status: HostRow['status'], disk: number | null) => ({ name, status, disk_ratio: disk }) as HostRow;
  const rows = [host('b', 'good', 0.2), host('a', 'good', 0.2), host('full', 'good', 0.8), host('gone', 'unknown', null), host('hot', 'critical', 0.1), host('new', 'good', null)];
  assert.deepEqual(worstHosts(rows).map(({ name }) => name), ['hot', 'gone', 'full', 'a', 'b', 'new']);
  assert.equal(rows[0].name, 'b', 'the answer of the server stays as it is');
});

test('charts of disks leave out what never fills up, on every page', () => {
  const filesystems = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|autofs|rootfs|fuse\\\\..*"';
  const used = (selector: string): string => `1 - node_filesystem_avail_bytes{${selector}} / node_filesystem_size_bytes{${selector}}`;
  assert.equal(diskUsed('instance="a"'), used(`instance="a",${filesystems}`));
  const cards = hostCards({ kind: 'last', name: '1h', seconds: 3600 }, { span: 4 }, 'Disk'); // of the overview, and of System
  assert.deepEqual(cards.flatMap(({ parts }) => parts).filter(({ id }) => id === 'disk').map(({ query }) => query), [used(filesystems)]);
});

test('a change needs something to compare with', () => {
  assert.equal(change(150, 100), 0.5);
  assert.equal(change(0, 100), -1);
  assert.equal(change(100, 100), null);
  for (const before of [0, undefined]) assert.equal(change(5, before), null);
});

test('the columns of a period stand at their times', () => {
  assert.deepEqual(timesOf({ start: 1000, step: 60, count: 3 }), [1000, 1060, 1120]);
  assert.deepEqual(timesOf({ start: 1000, step: 60, count: 0 }), []);
});

test('a bar is a part of the largest', () => {
  assert.equal(shareOf(5, largest([10, 5])), 0.5);
  assert.equal(shareOf(0, largest([0, 0])), 0);
  assert.equal(largest([]), 0);
});

test('success and refunds have two limits, each on its better side', () => {
  assert.deepEqual([0.95, 0.9499, 0.9, 0.8999, null].map((rate) => judge(rate, SUCCESS)), ['good', 'warning', 'warning', 'critical', 'unknown']);
  assert.deepEqual([0, 0.05, 0.051, 0.1, 0.101].map((rate) => judge(rate, REFUNDS)), ['good', 'good', 'warning', 'warning', 'critical']);
});
