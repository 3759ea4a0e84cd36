// The stream's text, and how new history is put behind old.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventReader } from '../src/lib/sse';
import { toCsv } from '../src/lib/csv';

test('events are whole, wherever the text is cut', () => {
  const text = 'retry: 2000\n: heartbeat\n\nid: 5\nevent: tick\ndata: {"t":1}\n\nevent: lag\r\ndata: a\r\ndata: b\r\n\r\ndata:\n\n';
  const whole = eventReader()(text);
  assert.deepEqual(whole, [
    { id: '5', event: 'tick', data: '{"t":1}' },
    { id: '5', event: 'lag', data: 'a\nb' },
    { id: '5', event: 'message', data: '' },
  ]);
  for (let at = 0; at <= text.length; at++) {
    const read = eventReader();
    assert.deepEqual([...read(text.slice(0, at)), ...read(text.slice(at))], whole);
  }
});

test('csv quotes what needs it and makes no formulas', () => {
  assert.equal(toCsv([['a', 1.5, null], ['x,"y"', '=1+1', -2]]), 'a,1.5,\r\n"x,""y""",\'=1+1,-2\r\n');
});
