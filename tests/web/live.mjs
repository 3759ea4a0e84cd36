// Two tabs stay open and live: nothing on the console, and neither the heap nor the document grows.
//
//     live.mjs BASE [SECONDS]      default 12; two minutes show a slow leak
import assert from 'node:assert/strict';
import { openContext, openPage, run, settle } from './_browser.mjs';

const [base, seconds = '12'] = process.argv.slice(2);
const HEAP_GROWTH_MAX = 6 << 20, NODE_GROWTH_MAX = 200;

/** Bytes in use after a collection, and nodes, of one tab. */
async function weigh(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { heap: usedSize, nodes, listeners: jsEventListeners };
}

await run({
  [`two tabs are live for ${seconds} s without growth`]: async (browser) => {
    const context = await openContext(browser);
    const pages = [];
    for (const view of ['?range=15m', 'services/media-api?range=15m']) {
      const page = await openPage(context, base);
      await page.goto(`${base}#/${view}`);
      await settle(page);
      pages.push(page);
    }
    const wait = Number(seconds) * 1000;
    await pages[0].waitForTimeout(Math.min(wait / 3, 20_000)); // until caches and pools are filled
    const before = await Promise.all(pages.map(weigh));
    const seen = await pages[0].locator('main').innerText();
    await pages[0].waitForTimeout(wait);
    const after = await Promise.all(pages.map(weigh));
    console.log(JSON.stringify({ before, after }));
    assert.notEqual(await pages[0].locator('main').innerText(), seen, 'the overview stands still');
    for (const [i, page] of pages.entries()) {
      assert.deepEqual(page.complaints, []);
      assert.ok(after[i].heap - before[i].heap < HEAP_GROWTH_MAX, `the heap grew from ${before[i].heap} to ${after[i].heap}`);
      assert.ok(after[i].nodes - before[i].nodes < NODE_GROWTH_MAX, `nodes grew from ${before[i].nodes} to ${after[i].nodes}`);
      assert.ok(after[i].listeners - before[i].listeners < 50, `listeners grew from ${before[i].listeners} to ${after[i].listeners}`);
    }
  },
});
