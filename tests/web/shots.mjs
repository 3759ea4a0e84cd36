// Pictures of each page: shots.mjs BASE DIRECTORY [views] [modes]. Modes: l light, d dark, m narrow, md.
import fs from 'node:fs';
import path from 'node:path';
import { launch, openContext, openPage, show } from './_browser.mjs';
import { VIEWS } from './_views.mjs';

const MODES = {
  l: { theme: 'light' }, d: { theme: 'dark' }, m: { size: 'narrow' }, md: { theme: 'dark', size: 'narrow' },
  ru: { lang: 'ru' },
};
const [base, out, views, modes = 'l,d,m'] = process.argv.slice(2);
const range = process.env.SHOT_RANGE ?? '15m';
fs.mkdirSync(out, { recursive: true });
const browser = await launch();
for (const mode of modes.split(',')) {
  const context = await openContext(browser, MODES[mode]);
  for (const [name, { at, act, mayLoad }] of Object.entries(VIEWS)) {
    if (views && views !== 'all' && !views.split(',').includes(name)) continue;
    const page = await openPage(context, base);
    try {
      await show(page, base, `${at}?range=${range}&lang=${MODES[mode].lang ?? 'en'}`, { mayLoad });
      if (act) await act(page);
      // Charts below the fold are made when they come into view.
      await page.evaluate(async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 500) {
          scrollTo(0, y);
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
        scrollTo(0, 0);
      });
      await page.waitForTimeout(400);
    } catch (error) {
      console.log(`${name}-${mode}: ${error.message}`);
    }
    await page.screenshot({ path: path.join(out, `${name}-${mode}.png`), fullPage: true });
    for (const text of new Set(page.complaints)) console.log(`${name}-${mode}: ${text}`);
    await page.close();
  }
  await context.close();
}
await browser.close();
