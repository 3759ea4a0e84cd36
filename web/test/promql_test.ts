// PromQL as the editor reads it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ranked } from '../src/lib/completion';
import { onGrid, parseValue } from '../src/lib/prom';
import { errorPlace, pointAt, tokenize, unitOf, wantAt } from '../src/lib/promql';

const kinds = (source: string): string =>
  tokenize(source).filter(({ kind }) => kind !== 'space').map(({ kind, text }) => `${kind}:${text}`).join(' ');

test('words are functions, keywords, labels or metrics by where they stand', () => {
  assert.equal(kinds('sum by (service) (rate(op_total{service=~"a|b",x!="y"}[5m])) > 0.1'),
    'keyword:sum keyword:by operator:( label:service operator:) operator:( function:rate operator:( metric:op_total operator:{ label:service '
    + 'operator:= operator:~ string:"a|b" operator:, label:x operator:! operator:= string:"y" operator:} operator:[ number:5m operator:] '
    + 'operator:) operator:) operator:> number:0.1');
  assert.equal(kinds('rate'), 'metric:rate'); // a function is one with a bracket
  assert.equal(kinds('a # b {'), 'metric:a comment:# b {');
  assert.equal(kinds('1h30m 0x1F 1e-3 .5 job:x:rate5m'), 'number:1h30m number:0x1F number:1e-3 number:.5 metric:job:x:rate5m');
});

test('tokens are the whole text, whatever it is', () => {
  const alphabet = ['a', '"', "'", '\\', '{', '}', '(', ')', '[', ']', ' ', '\n', '#', '1', 'm', ':', '=', '~', 'é', '😀', '`', 'by', 'sum'];
  let seed = 7;
  const random = (): number => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  for (let round = 0; round < 2000; round++) {
    const source = Array.from({ length: Math.floor(random() * 30) }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
    const tokens = tokenize(source);
    assert.equal(tokens.map(({ text }) => text).join(''), source);
    let at = 0;
    for (const { from, text } of tokens) {
      assert.equal(from, at);
      at += text.length;
    }
    for (let position = 0; position <= source.length; position++) wantAt(source, position);
  }
});

test('a string that does not end colours to the end of its line only', () => {
  assert.equal(kinds('a{b="c\nd'), 'metric:a operator:{ label:b operator:= string:"c label:d');
});

/** What is wanted at the bar. */
function want(text: string): string {
  const { kind, word, metric, label } = wantAt(text.replace('|', ''), text.indexOf('|'));
  return [kind, word, metric, label].join(' ').trim();
}

test('what may be completed depends on the place', () => {
  assert.equal(want('ra|'), 'metric ra');
  assert.equal(want('rate(son|de)'), 'metric son');
  assert.equal(want('up{jo|'), 'label jo up');
  assert.equal(want('up{|'), 'label  up');
  assert.equal(want('up{job="a",|'), 'label  up');
  assert.equal(want('up{job="pro|'), 'value pro up job');
  assert.equal(want('up{job="|"}'), 'value  up job');
  assert.equal(want('up{job=~"a|b"}'.replace('a|b', 'x|')), 'value x up job');
  assert.equal(want('sum by (ser|) (rate(op_total[5m]))'), 'label ser op_total');
  assert.equal(want('sum(rate(op_total[5m])) by (|'), 'label  op_total');
  assert.equal(want('up{job="a"}|'), 'none');
  assert.equal(want('up "a|"'), 'none');
  assert.equal(want('up{job="a"|'), 'none');
  assert.equal(want('|'), 'none');
  assert.equal(want('up > |'), 'none');
});

test('completions that begin with the word come first, then the shorter ones', () => {
  const list = ['irate', 'rate', 'rate_limit', 'ra', 'sum'].map((text) => ({ text, kind: 'metric' as const, note: '' }));
  assert.deepEqual(ranked(list, 'ra').map(({ text }) => text), ['rate', 'rate_limit', 'irate']);
});

test('the place of an error is found and pointed at', () => {
  const message = 'invalid parameter "query": 1:6: parse error: unclosed left parenthesis';
  assert.deepEqual(errorPlace(message), { line: 1, column: 6, message: 'unclosed left parenthesis' });
  assert.deepEqual(errorPlace('2:3: parse error: x'), { line: 2, column: 3, message: 'x' });
  assert.equal(errorPlace('query timed out after 10 s at 10:30'), null);
  assert.equal(pointAt('rate(\nab', { line: 2, column: 3, message: '' }), 'ab\n  ^');
  assert.equal(pointAt('rate(', { line: 4, column: 1, message: '' }), '');
});

test('units come from names', () => {
  assert.equal(unitOf('rate(node_network_receive_bytes_total[5m])'), 'bytesPerSecond');
  assert.equal(unitOf('sonde_memory_bytes'), 'bytes');
  assert.equal(unitOf('histogram_quantile(0.95, sum by (le) (rate(op_seconds_bucket[5m])))'), 'seconds');
  assert.equal(unitOf('sum(rate(op_total[5m]))'), 'perSecond');
  assert.equal(unitOf('a_bytes / b_bytes'), 'number');
  assert.equal(unitOf('process_start_time_seconds'), 'number');
  assert.equal(unitOf('gpu_ratio'), 'ratio');
  assert.equal(unitOf('up'), 'number');
});

test('values of the API stand on the grid, and what has no place is a gap', () => {
  assert.equal(parseValue('+Inf'), Infinity);
  assert.ok(Number.isNaN(parseValue('NaN')));
  assert.deepEqual(onGrid([[10, '1'], [30, 'NaN'], [40, '4'], [60, '6']], 10, 10, 5), [1, null, null, 4, null]);
});
