// Numbers, units and times, in both languages.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ago, clock, day, difference, duration, format, integer, showUtc, significant, stamp, type Unit } from '../src/lib/fmt';
import { lang } from '../src/lib/lang';

/** Written with plain spaces here. */
const plain = (text: string): string => text.replace(/[\u202f\u00a0]/g, ' ');

afterEach(() => {
  lang.set('en');
  showUtc(false);
});

test('every unit has its text in both languages', () => {
  const rows: [number, Unit, string, string][] = [
    [0, 'number', '0', '0'],
    [0.123456, 'number', '0.12', '0,12'],
    [12.345, 'number', '12.3', '12,3'],
    [9999, 'number', '9,999', '9 999'],
    [12345, 'number', '12.3 k', '12,3 тыс.'],
    [1.61e6, 'number', '1.61 M', '1,61 млн'],
    [0.934, 'ratio', '93.4 %', '93,4 %'],
    [1, 'ratio', '100 %', '100 %'],
    [0.0008, 'ratio', '0.08 %', '0,08 %'],
    [0.000396, 'seconds', '396 µs', '396 мкс'],
    [0.086, 'seconds', '86 ms', '86 мс'],
    [41.2, 'seconds', '41.2 s', '41,2 с'],
    [94, 'seconds', '1 min 34 s', '1 мин 34 с'],
    [0, 'bytes', '0 B', '0 Б'],
    [1023, 'bytes', '1,023 B', '1 023 Б'],
    [1024, 'bytes', '1 KiB', '1 КиБ'],
    [3.1 * 2 ** 30, 'bytes', '3.1 GiB', '3,1 ГиБ'],
    [412_000, 'bytesPerSecond', '402 KiB/s', '402 КиБ/с'],
    [6.2, 'perSecond', '6.2 /s', '6,2 /с'],
    [23_100, 'perSecond', '23.1 k/s', '23,1 тыс./с'],
    [250, 'watts', '250 W', '250 Вт'],
    [71, 'celsius', '71 °C', '71 °C'],
    [59.9, 'framesPerSecond', '59.9 fps', '59,9 к/с'],
  ];
  for (const [value, unit, en, ru] of rows) {
    lang.set('en');
    assert.equal(plain(format(value, unit)), en);
    lang.set('ru');
    assert.equal(plain(format(value, unit)), ru);
  }
});

test('between number and unit is a narrow space that does not break', () => {
  assert.equal(format(1.5, 'seconds'), '1.5\u202fs');
});

test('what is not known is a dash, what is without end is said', () => {
  for (const value of [null, undefined, NaN]) assert.equal(format(value, 'bytes'), '–');
  assert.equal(format(Infinity), '∞');
  assert.equal(format(-Infinity, 'seconds'), '-∞');
});

test('no value is written with an exponent, or as minus zero', () => {
  assert.equal(significant(0.000001234), '0.00000123');
  assert.equal(significant(-0.00000000001), '0');
  assert.equal(plain(format(1e21)), '1,000,000,000 T');
  assert.equal(integer(-0.4), '0');
});

test('rounding takes the next unit, never a thousand of the smaller one', () => {
  assert.equal(plain(format(1023.9 * 1024, 'bytes')), '1 MiB');
  assert.equal(plain(format(999_999)), '1 M');
  assert.equal(plain(duration(0.99999)), '1 s');
  assert.equal(plain(duration(59.99)), '1 min');
  assert.equal(plain(duration(3599.9)), '1 h');
});

test('a long time has its two largest units', () => {
  assert.equal(plain(duration(3600)), '1 h');
  assert.equal(plain(duration(8460)), '2 h 21 min');
  assert.equal(plain(duration(3 * 86400 + 5 * 3600 + 59)), '3 d 5 h');
  assert.equal(plain(duration(-61)), '−1 min 1 s');
  assert.equal(plain(duration(0)), '0 s');
});

test('a difference has a sign, of ratios in points', () => {
  assert.equal(plain(difference(-0.032, 'ratio')), '−3.2 pt');
  assert.equal(plain(difference(9.4, 'seconds')), '+9.4 s');
  lang.set('ru');
  assert.equal(plain(difference(-0.032, 'ratio')), '−3,2 п.п.');
});

test('time since is in one unit and never in the future', () => {
  assert.equal(plain(ago(100, 159)), '59 s ago');
  assert.equal(plain(ago(100, 160)), '1 min ago');
  assert.equal(plain(ago(0, 86400 * 3)), '3 d ago');
  assert.equal(plain(ago(200, 100)), '0 s ago');
  assert.equal(ago(null, 100), '–');
  lang.set('ru');
  assert.equal(plain(ago(0, 7200)), '2 ч назад');
});

test('clock and date are of the zone, or of UTC when that is shown', () => {
  const noon = Date.UTC(2026, 6, 1, 12, 0, 5) / 1000; // Berlin: 14:00 in summer
  assert.equal(clock(noon), '14:00:05');
  assert.equal(clock(noon, false), '14:00');
  assert.equal(day(noon), '1 Jul');
  showUtc(true);
  assert.equal(clock(noon), '12:00:05');
  assert.equal(stamp(noon), '1 Jul, 12:00:05 UTC');
  const midnight = Date.UTC(2026, 6, 1) / 1000;
  assert.equal(clock(midnight), '00:00:00');
});
