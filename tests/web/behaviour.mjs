// What keys, pointer and address do: behaviour.mjs BASE
import assert from 'node:assert/strict';
import { faults, openContext, openPage, run, settle, show, until } from './_browser.mjs';

const [base] = process.argv.slice(2);
const hash = (page) => page.evaluate(() => location.hash);
const at = (page, pattern) => until(async () => pattern.test(await hash(page)), `the address is like ${pattern}`);

async function open(browser, view, options) {
  const page = await openPage(await openContext(browser, options), base);
  await show(page, base, view);
  return page;
}

/** The middle part of the first chart, scrolled into view. */
async function plot(page, index = 0) {
  const chart = page.locator('.plot').nth(index);
  await chart.scrollIntoViewIfNeeded();
  await until(async () => (await chart.locator('canvas').count()) > 0, 'the chart is drawn');
  return { chart, box: await chart.boundingBox() };
}

async function done(page) {
  assert.deepEqual(await faults(page, { withAxe: false }), []);
  await page.context().close();
}

await run({
  'keys lead to pages': async (browser) => {
    const page = await open(browser, '');
    for (const [keys, pattern] of [['gs', /^#\/services/], ['ge', /^#\/errors/], ['gx', /^#\/explore/], ['gt', /^#\/trends/], ['go', /^#\/(overview|\?|$)/]]) {
      for (const key of keys) await page.keyboard.press(key);
      await at(page, pattern);
      await page.evaluate(() => document.activeElement?.blur());
    }
    await done(page);
  },

  'brackets change the range, and the address keeps it': async (browser) => {
    const page = await open(browser, 'services?range=1h');
    await page.keyboard.press(']');
    await at(page, /range=6h/);
    await page.keyboard.press('[');
    await at(page, /range=1h/);
    await page.evaluate(() => { // faster than the browser tells of a new address
      for (let i = 0; i < 2; i++) dispatchEvent(new KeyboardEvent('keydown', { key: ']' }));
    });
    await at(page, /range=24h/);
    await done(page);
  },

  'the palette finds a service': async (browser) => {
    const page = await open(browser, '');
    await page.keyboard.press('Control+k');
    await page.locator('dialog[open] input').waitFor();
    await page.keyboard.type('transcod');
    await until(async () => (await page.locator('dialog[open]').innerText()).includes('transcoder'), 'a service is found');
    await page.keyboard.press('Enter');
    await at(page, /^#\/services\/transcoder/);
    await done(page);
  },

  'help opens by its key and closes by Escape, single keys sleep in fields': async (browser) => {
    const page = await open(browser, 'services');
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Escape');
    await until(async () => (await page.locator('dialog[open]').count()) === 0, 'the dialog closes');
    await page.locator('.filter input').first().focus();
    await page.keyboard.type('gs?t');
    assert.equal(await page.locator('dialog[open]').count(), 0);
    assert.equal(await page.locator('.filter input').first().inputValue(), 'gs?t');
    await done(page);
  },

  'the theme changes and is remembered': async (browser) => {
    const page = await open(browser, '');
    const color = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await color();
    await page.keyboard.press('t');
    await until(async () => await color() !== light, 'the page gets dark');
    const dark = await color();
    await page.reload();
    await settle(page);
    assert.equal(await color(), dark);
    await done(page);
  },

  'the skip link is first': async (browser) => {
    const page = await open(browser, '');
    await page.reload();
    await settle(page);
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip-link');
    await done(page);
  },

  'drag zooms all charts, writes the address, and back undoes it': async (browser) => {
    const page = await open(browser, 'services/media-api?range=15m');
    const { box } = await plot(page);
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 60, { steps: 8 });
    await page.mouse.up();
    await at(page, /from=\d+.*to=\d+/);
    await settle(page);
    await page.goBack();
    await at(page, /range=15m/);
    assert.ok(!(await hash(page)).includes('from='));
    await done(page);
  },

  'z ends a zoom that the address asked for': async (browser) => {
    const now = Math.floor(Date.now() / 1000);
    const page = await open(browser, `services/media-api?from=${now - 300}&to=${now - 60}`);
    await page.keyboard.press('z');
    await until(async () => !(await hash(page)).includes('from='), 'the zoom ends');
    await done(page);
  },

  'arrows read a chart': async (browser) => {
    const page = await open(browser, 'services/media-api?range=15m');
    const { chart } = await plot(page);
    await chart.focus();
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.locator('.tip:visible').first().waitFor();
    await page.keyboard.press('Tab');
    assert.ok(!await chart.evaluate((node) => node === document.activeElement), 'Tab leaves the chart');
    await done(page);
  },

  'space holds the page and lets it go': async (browser) => {
    const page = await open(browser, '?range=15m');
    const text = () => page.locator('.topbar .live').innerText();
    await page.evaluate(() => document.activeElement?.blur());
    await page.keyboard.press(' ');
    await until(async () => (await text()).includes('Paused'), 'the button says Paused');
    await page.keyboard.press(' ');
    await until(async () => (await text()).includes('Live'), 'the button says Live');
    await done(page);
  },

  'a table sorts by its headers, and says so': async (browser) => {
    const page = await open(browser, 'services');
    const header = page.locator('thead th').first();
    await header.locator('button').click();
    await until(async () => ['ascending', 'descending'].includes(await header.getAttribute('aria-sort')), 'aria-sort');
    const names = async () => (await page.locator('tbody th').allInnerTexts()).map((text) => text.trim().split(/\s+/).pop());
    const first = await names();
    await header.locator('button').click();
    await until(async () => (await names()).join() === [...first].reverse().join(), 'the order turns round');
    await done(page);
  },

  'a filter lies in the address, and the address brings it back': async (browser) => {
    const page = await open(browser, 'services');
    await page.locator('.filter input').first().fill('thumb');
    await at(page, /thumb/);
    await until(async () => (await page.locator('tbody tr').count()) === 2, 'two services');
    const address = page.url();
    const other = await openPage(page.context(), base);
    await other.goto(address);
    await settle(other);
    await until(async () => (await other.locator('tbody tr').count()) === 2, 'two services again');
    await done(page);
  },

  'the language changes without a reload': async (browser) => {
    const page = await open(browser, 'services');
    await page.getByRole('button', { name: 'Русский' }).click();
    await until(async () => (await page.locator('nav.sidebar').innerText()).includes('Сервисы'), 'the menu is Russian');
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'ru');
    await done(page);
  },

  'on a narrow screen the menu is a drawer': async (browser) => {
    const page = await open(browser, 'services', { size: 'narrow' });
    await page.locator('.burger').click();
    await page.locator('nav.sidebar a[href*="#/system"]').click();
    await at(page, /^#\/system/);
    await done(page);
  },

  'a query with a mistake is pointed at': async (browser) => {
    const page = await open(browser, 'explore');
    page.complaints.length = 0;
    await page.locator('.editor textarea').fill('rat(up[5m])');
    await page.keyboard.press('Control+Enter');
    await until(async () => /rat/.test(await page.locator('[role=alert]').first().innerText().catch(() => '')), 'the error');
  },

  'an error is resolved, found under Resolved, and opened again': async (browser) => {
    const page = await open(browser, 'errors');
    const rows = page.locator('.error-row');
    const text = (await rows.last().locator('.error-message').innerText()).trim();
    const row = rows.filter({ hasText: text }).first();
    await page.keyboard.press(' '); // no tick comes to help
    await row.click();
    // The list of resolved ones is read before the change is made and arrives after it: too old.
    let read, changed;
    const isRead = new Promise((resolve) => { read = resolve; });
    const isChanged = new Promise((resolve) => { changed = resolve; });
    await page.route('**/api/v1/errors?*state=resolved*', async (route) => {
      const response = await route.fetch();
      read();
      await isChanged;
      await route.fulfill({ response }).catch(() => {}); // a page that gave it up does not want it
    });
    await page.route('**/api/v1/errors/*', async (route) => {
      await isRead;
      const response = await route.fetch();
      await route.fulfill({ response });
      setTimeout(changed, 500);
    });
    await page.getByRole('button', { name: 'Mark resolved' }).click();
    await page.getByRole('tab', { name: 'Resolved' }).click();
    await at(page, /state=resolved/);
    const fresh = page.locator('.loaded[aria-busy=false]').locator(row); // not the list of before
    await until(async () => (await fresh.count()) === 1, 'the group is listed as resolved');
    await row.click();
    await page.getByRole('button', { name: 'Open again' }).click();
    await page.getByRole('tab', { name: 'Open' }).click();
    await until(async () => (await row.count()) === 1, 'the group is open again');
    await done(page);
  },

  'a panel that fails says why and leaves the others alone': async (browser) => {
    const page = await openPage(await openContext(browser), base, { allowed: (url, status) => status === 500 });
    const broken = { status: 500, contentType: 'application/json', body: '{"status":"error","errorType":"internal","error":"the disk is gone"}' };
    await page.route('**/api/v1/errors*', (route) => route.fulfill(broken));
    await show(page, base, 'errors?range=15m');
    await until(async () => (await page.locator('[role=alert]').innerText()).includes('the disk is gone'), 'the reason');
    await plot(page);
    await page.unroute('**/api/v1/errors*');
    await page.getByRole('button', { name: 'Retry' }).click();
    await until(async () => (await page.locator('.error-row').count()) > 0, 'the list after Retry');
    await done(page);
  },

  'without the server a banner says since when, and goes when it is back': async (browser) => {
    const page = await open(browser, 'services?range=15m');
    await page.context().setOffline(true);
    await page.locator('.banner').waitFor({ timeout: 30_000 });
    assert.match(await page.locator('.banner').innerText(), /Connection lost.*\d\d:\d\d/);
    assert.ok(await page.locator('tbody tr').count() > 3, 'the last values stay');
    await page.context().setOffline(false);
    await until(async () => (await page.locator('.banner').count()) === 0, 'the banner goes', 30_000);
    page.complaints.length = 0; // the browser itself reports requests that found no network
    await done(page);
  },
});
