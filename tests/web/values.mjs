// A series that is known goes in, the same numbers are on the page: values.mjs BASE
import assert from 'node:assert/strict';
import { openContext, openPage, run, settle, show, until } from './_browser.mjs';

const [base] = process.argv.slice(2);
const STEP_S = 15, STEPS = 40;
const OK_PER_STEP = 30, ERRORS_PER_STEP = 10; // 2 and 2/3 a second

/** Counters (not from 0: rate() would not look behind it) of a service "exact" over the last ten minutes, and a gauge "exact_gauge" of 42. */
async function push() {
  const last = Math.floor(Date.now() / 1000 / STEP_S) * STEP_S;
  const lines = [];
  for (let i = 0; i <= STEPS; i++) {
    const at = (last - (STEPS - i) * STEP_S) * 1000;
    const labels = 'service="exact",operation="work"';
    lines.push(`sonde_operations_total{${labels},outcome="ok"} ${1000 + i * OK_PER_STEP} ${at}`);
    lines.push(`sonde_operations_total{${labels},outcome="error"} ${500 + i * ERRORS_PER_STEP} ${at}`);
    lines.push(`sonde_operations_total{${labels},outcome="aborted"} 0 ${at}`);
    lines.push(`sonde_operations_active{${labels}} 7 ${at}`);
    lines.push(`exact_gauge{place="here"} ${i === STEPS ? 42 : 41} ${at}`);
  }
  const answer = await fetch(new URL('/api/v1/import/prometheus', base), { method: 'POST', body: `${lines.join('\n')}\n` });
  assert.equal(answer.status, 200, await answer.text());
}

/** The figure under a heading of the row of figures, with plain spaces. */
async function figure(page, heading) {
  const text = await page.locator('dl.stats div', { has: page.locator('dt', { hasText: heading }) }).first().locator('dd').innerText();
  return text.replace(/[\u00a0\u202f]/g, ' ').trim();
}

await push();
// Services are looked at every few seconds.
await until(async () => (await fetch(new URL('/api/v1/services/exact', base))).ok, 'the server knows the service', 30_000);
await run({
  'a service shows the rate, share of errors and totals that were pushed': async (browser) => {
    const page = await openPage(await openContext(browser), base);
    await show(page, base, 'services/exact?range=5m');
    const total = 1500 + STEPS * (OK_PER_STEP + ERRORS_PER_STEP);
    assert.equal(await figure(page, /^Errors$/), '25 %');
    assert.equal(await figure(page, /^Active$/), '7');
    assert.equal(await figure(page, /^Total operations$/), total.toLocaleString('en-GB'));
    assert.equal(await figure(page, /^Total errors$/), String(500 + STEPS * ERRORS_PER_STEP));
    assert.equal(await figure(page, /^Ops\/s$/), '2.67');
    assert.deepEqual(page.complaints, []);
  },

  'a query shows the value as it is': async (browser) => {
    const page = await openPage(await openContext(browser), base);
    await show(page, base, `explore?q=${encodeURIComponent('exact_gauge{place="here"} * 1.5')}&tab=table&range=15m`);
    await settle(page);
    await until(async () => /(^|\s)63(\s|$)/.test((await page.locator('table').innerText()).replace(/\s+/g, ' ')), '42 * 1.5 = 63 in the table');
    assert.deepEqual(page.complaints, []);
  },
});
