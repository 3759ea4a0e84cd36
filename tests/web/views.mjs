// Every page in every mode: nothing on the console, no policy report, no foreign request, no
// horizontal scroll bar, no violation of axe's rules.
//
//     views.mjs BASE [all|short] [light|dark|both] [views]
//
// short: axe where every two of {theme, width, language}
// meet, the rest everywhere
import { faults, launch, openContext, openPage, show } from './_browser.mjs';
import { VIEWS } from './_views.mjs';

const [base, kind = 'all', themes = 'both', only] = process.argv.slice(2);
const all = ['light', 'dark'].filter((theme) => themes === 'both' || themes === theme).flatMap((theme) => ['wide', 'narrow'].flatMap((size) => ['en', 'ru'].map((lang) => ({ theme, size, lang }))));
const isPair = ({ theme, size, lang }) => [theme === 'dark', size === 'narrow', lang === 'ru'].filter(Boolean).length % 2 === 0;

async function check(browser, mode) {
  const context = await openContext(browser, mode);
  const page = await openPage(context, base);
  let failed = 0;
  for (const [name, { at, act, mayLoad }] of Object.entries(VIEWS)) {
    if (only && !only.split(',').includes(name)) continue;
    let found;
    try {
      await show(page, base, `${at}?range=15m&lang=${mode.lang}`, { mayLoad });
      if (act) await act(page);
      found = await faults(page, { withAxe: kind === 'all' || isPair(mode) });
    } catch (error) {
      found = [error.message, ...page.complaints.splice(0)];
    }
    if (found.length > 0) {
      failed += 1;
      console.log(`FAIL  ${name} ${mode.theme} ${mode.size} ${mode.lang}\n      ${found.join('\n      ')}`);
    }
  }
  await context.close();
  return failed;
}

const started = Date.now();
const browser = await launch();
// Two at a time: the machine that this has to run on has two processors.
const queue = [...all];
let failed = 0;
await Promise.all([0, 1].map(async () => {
  for (let mode = queue.shift(); mode; mode = queue.shift()) failed += await check(browser, mode);
}));
await browser.close();
console.log(`${all.length} modes, ${failed} views with faults, ${Date.now() - started} ms`);
process.exitCode = failed === 0 ? 0 : 1;
