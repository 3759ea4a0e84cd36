// What the dashboard costs in a real browser: budgets.mjs BASE SERVICE
//
// The server holds 1,000 services and runs examples/demo under load; see budgets.py. Prints one line per
// budget: measured, limit. Exit status 1 when one is broken.
import { launch, openContext, openPage, settle, until } from '../../tests/web/_browser.mjs';

const [base, service = 'media-api'] = process.argv.slice(2);
const KIB = 1024;
let broken = 0;

function report(what, value, limit, unit) {
  const isKept = value <= limit;
  if (!isKept) broken += 1;
  console.log(`${isKept ? 'ok  ' : 'OVER'}  ${what.padEnd(46)} ${value.toFixed(1).padStart(8)} ${unit.padEnd(4)} of ${limit}`);
}

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];
const percentile = (values, share) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))];

async function open(browser, view) {
  const context = await openContext(browser);
  const page = await openPage(context, base);
  await page.goto(`${base}#/${view}`);
  await settle(page);
  return page;
}

/** Bytes as they travel, and the first contentful paint, each time in a browser profile of its own. */
async function firstPaint(browser) {
  const paints = [];
  let sizes = {};
  for (let i = 0; i < 7; i++) {
    const page = await open(browser, 'overview');
    const seen = await page.evaluate(() => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
      sizes: Object.fromEntries(performance.getEntriesByType('resource').map((entry) => [entry.name.replace(/.*\.(\w+)$/, '$1'), entry.encodedBodySize])),
    }));
    paints.push(seen.paint);
    sizes = seen.sizes;
    await page.context().close();
  }
  report('script, compressed', sizes.js / KIB, 90, 'KiB');
  report('style, compressed', sizes.css / KIB, 10, 'KiB');
  report('overview, first contentful paint, median', median(paints), 500, 'ms');
}

/** Frames while the pointer moves over the charts of a service. */
async function hover(browser) {
  const page = await open(browser, `services/${service}?range=1h`);
  await until(async () => (await page.locator('.plot canvas').count()) > 1, 'charts are drawn');
  const box = await page.locator('.plot').nth(1).boundingBox();
  await page.evaluate(() => {
    window.frames_ = [];
    let last = performance.now();
    const next = (now) => {
      window.frames_.push(now - last);
      last = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  for (let i = 0; i < 240; i++) await page.mouse.move(box.x + 40 + (box.width - 60) * ((i % 120) / 120), box.y + 60 + (i % 7));
  const frames = await page.evaluate(() => window.frames_.slice(3));
  report(`hover, p95 of ${frames.length} frames`, percentile(frames, 0.95), 20, 'ms');
  await page.context().close();
}

/** Sort, scroll and filter 1,000 rows: from the event to the frame after it. */
async function thousand(browser) {
  const page = await open(browser, 'services?range=1h');
  const measured = await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    const timed = async (action) => {
      await frame();
      const start = performance.now();
      action();
      await frame();
      return performance.now() - start;
    };
    const sorts = [], filters = [], scrolls = [];
    for (let i = 0; i < 12; i++) {
      const heads = [...document.querySelectorAll('thead button')];
      sorts.push(await timed(() => heads[i % Math.min(4, heads.length)].click()));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const box = document.querySelector('.table-box');
    for (let i = 0; i < 30; i++) scrolls.push(await timed(() => { box.scrollTop += 380; }));
    const input = document.querySelector('.filter input');
    for (const text of ['s', 'sv', 'svc-0', 'svc-01', 'svc-012', '', 'svc-9']) {
      filters.push(await timed(() => {
        input.value = text;
        input.dispatchEvent(new Event('input', { bubbles: true }));
      }));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return { sorts, filters, scrolls, nodes: document.querySelectorAll('*').length, rows: document.querySelectorAll('tbody tr').length };
  });
  report('1,000 services, sort, median', median(measured.sorts), 50, 'ms');
  report('1,000 services, filter, median', median(measured.filters), 50, 'ms');
  report('1,000 services, scroll, p95', percentile(measured.scrolls, 0.95), 50, 'ms');
  report('1,000 services, nodes of the document', measured.nodes, 1500, '');
  await page.context().close();
}

/** Share of a core that the page's main thread works while it is live at 1 Hz. */
async function live(browser, view, seconds) {
  const page = await open(browser, view);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'timeTicks' });
  const busy = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    const value = (name) => metrics.find((metric) => metric.name === name).value;
    return { at: value('Timestamp'), work: value('TaskDuration') };
  };
  await page.waitForTimeout(3000);
  const before = await busy();
  await page.waitForTimeout(seconds * 1000);
  const after = await busy();
  report(`live at 1 Hz, ${view.split('?')[0]}, main thread`, (100 * (after.work - before.work)) / (after.at - before.at), 12, '%');
  await page.context().close();
}

const browser = await launch();
try {
  await firstPaint(browser);
  await hover(browser);
  await thousand(browser);
  await live(browser, 'overview?range=1h', 20);
  await live(browser, `services/${service}?range=1h`, 20);
} finally {
  await browser.close();
}
process.exitCode = broken === 0 ? 0 : 1;
