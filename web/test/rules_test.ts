// What the page Errors works out by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byOperation, matches, type Group } from '../src/lib/error_groups';

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
