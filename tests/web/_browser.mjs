// What the browser tests share: Chromium, pages whose every complaint is collected, axe.
//
// A complaint is: an error on the console, an exception that nobody caught, a report of the content
// security policy, a request to another origin, an answer of 400 or more that the test did not ask for.
//
// SONDE_WEB_MODULES is the node_modules that holds playwright-core and axe-core; CHROMIUM the browser.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const modules = process.env.SONDE_WEB_MODULES ?? path.join('build', 'web_tests', 'node_modules');
const require = createRequire(path.resolve(modules, 'x.js'));
const { chromium } = require('playwright-core');
const axeSource = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };
const AXE_RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Chromium that asks nobody but the pages' own server. */
export function launch() {
  const args = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-extensions', '--js-flags=--expose-gc',
    '--enable-precise-memory-info'];
  if (process.getuid() === 0) args.push('--no-sandbox');
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
}

/** A context: {theme, size, lang, base}. Languages and themes are set as a user's system would. */
export async function openContext(browser, { theme = 'light', size = 'wide', lang = 'en', zone = 'UTC' } = {}) {
  const isNarrow = size === 'narrow';
  const context = await browser.newContext({
    viewport: SIZES[size], colorScheme: theme, locale: lang === 'ru' ? 'ru-RU' : 'en-GB', timezoneId: zone,
    hasTouch: isNarrow, isMobile: isNarrow, deviceScaleFactor: isNarrow ? 2 : 1,
    permissions: [],
  });
  context.setDefaultTimeout(10_000);
  await context.addInitScript(() => {
    window.cspReports = [];
    document.addEventListener('securitypolicyviolation', (event) => {
      window.cspReports.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return context;
}

/**
 * A page with its complaints. `allowed(url, status)` says which failing answers are wanted.
 * page.busy is the number of requests under way; streams do not count.
 */
export async function openPage(context, base, { allowed = () => false } = {}) {
  const page = await context.newPage();
  const origin = new URL(base).origin;
  const under = new Set();
  page.complaints = [];
  page.requested = [];
  page.idleSince = Date.now();
  const complain = (text) => page.complaints.push(text);
  page.on('console', (message) => {
    const isOfAnswer = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !isOfAnswer) complain(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complain(`exception: ${error.message}`));
  page.on('crash', () => complain('the page crashed'));
  page.on('request', (request) => {
    const url = request.url();
    page.requested.push(`${request.method()} ${url}`);
    if (url.startsWith('data:') || url.startsWith('blob:')) return;
    if (new URL(url).origin !== origin) complain(`request off origin: ${url}`);
    if (!/\/stream\b/.test(url)) under.add(request);
  });
  const done = (request) => {
    under.delete(request);
    page.idleSince = Date.now();
  };
  page.on('requestfinished', done);
  page.on('requestfailed', done);
  page.on('response', (response) => {
    const status = response.status();
    if (status >= 400 && !allowed(new URL(response.url()), status)) complain(`${status} ${response.request().method()} ${response.url()}`);
  });
  page.isIdle = () => under.size === 0 && Date.now() - page.idleSince > 80;
  return page;
}

/** Wait until a condition holds. It may be async; what it returned last is in the error. */
export async function until(condition, what, timeoutMs = 10_000) {
  const deadline = Date.now() + timeoutMs;
  let last;
  while (Date.now() < deadline) {
    last = await condition();
    if (last) return last;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what}: not within ${timeoutMs} ms (${JSON.stringify(last)})`);
}

/** Wait until the page shows what it asked for: no request under way, nothing that says "loading". */
export async function settle(page, mayLoad = false) {
  await until(async () => page.isIdle() && await page.evaluate((isLoading) => document.querySelector('main > *') !== null
    && (isLoading || document.querySelector('.skeleton, [aria-busy=true]') === null), mayLoad), 'the page settles');
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Open a view ("services?range=1h") and wait for it; `mayLoad`: something on it never ends loading. */
export async function show(page, base, view, { mayLoad = false } = {}) {
  const target = `${base}#/${view}`;
  if (page.url().split('#')[0] === base) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${view}`);
  } else {
    await page.goto(target);
  }
  await settle(page, mayLoad);
}

/** What hangs over the right edge: [] when nothing does. */
export function overflow(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width + 1) return [];
    return [...document.querySelectorAll('body *')]
      .filter((node) => node.getBoundingClientRect().right > width + 1)
      .slice(0, 3)
      .map((node) => `${node.tagName.toLowerCase()}.${[...node.classList].join('.')} ends at ${Math.round(node.getBoundingClientRect().right)} of ${width}`);
  });
}

/** Axe in a world of its own, which the page's policy does not reach. One line per rule broken. */
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
    const evaluate = async (expression) => {
      const answer = await session.send('Runtime.evaluate', { expression, contextId: executionContextId, awaitPromise: true, returnByValue: true });
      if (answer.exceptionDetails) throw new Error(`axe: ${answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text}`);
      return answer.result.value;
    };
    await evaluate(`${axeSource};0`);
    return await evaluate(`axe.run(document, {runOnly: ${JSON.stringify(AXE_RULES)}, resultTypes: ['violations']}).then((result) =>
      result.violations.map((rule) => rule.id + ' x' + rule.nodes.length + ': ' + rule.nodes[0].target.join(' ') + ' '
        + (rule.nodes[0].any[0]?.message ?? rule.nodes[0].failureSummary ?? '').slice(0, 160)))`);
  } finally {
    await session.detach();
  }
}

/** All that is wrong with a page that is shown. */
export async function faults(page, { withAxe = true } = {}) {
  const found = [...new Set(page.complaints)];
  page.complaints.length = 0;
  found.push(...(await page.evaluate(() => window.cspReports.splice(0))).map((text) => `policy: ${text}`));
  found.push(...(await overflow(page)).map((text) => `overflow: ${text}`));
  if (withAxe) found.push(...(await axe(page)).map((text) => `axe: ${text}`));
  return found;
}

/** Run named cases one after another in one browser; the exit status tells whether all passed. */
export async function run(cases) {
  const only = process.env.CASE;
  const browser = await launch();
  let failed = 0;
  try {
    for (const [name, test] of Object.entries(cases)) {
      if (only && !name.includes(only)) continue;
      const started = Date.now();
      try {
        await test(browser);
        console.log(`ok    ${name} (${Date.now() - started} ms)`);
      } catch (error) {
        failed += 1;
        console.log(`FAIL  ${name}: ${error.stack ?? error}`);
      }
    }
  } finally {
    await browser.close();
  }
  process.exitCode = failed === 0 ? 0 : 1;
}
