// The first administrator, signing in and out, a session that ends: sign_in.mjs BASE CODE
// The server has sign-in, and no administrator yet.
import assert from 'node:assert/strict';
import { faults, openContext, openPage, run, settle, show, until } from './_browser.mjs';

const [base, code] = process.argv.slice(2);
const PASSWORD = 'correct horse battery';
const allowed = (url, status) => (status === 401 || status === 429) && url.pathname.includes('/api/');

async function visitor(browser) {
  const context = await openContext(browser);
  return openPage(context, base, { allowed });
}

const password = (page) => page.locator('input[type=password]');
const name = (page) => page.locator('input[autocomplete=username]');

async function signIn(page, who, secret) {
  await name(page).fill(who);
  await password(page).first().fill(secret);
  await page.locator('form button:not([type=button])').click();
}

const isSignedIn = (page) => until(() => page.locator('nav.sidebar').count(), 'the dashboard');
const asksToSignIn = (page) => until(async () => await password(page).count() === 1
  && await name(page).count() === 1, 'the sign-in page');

async function api(target, { method = 'POST', body, token } = {}) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(new URL(target, base), { method, headers, body: JSON.stringify(body) });
  return { status: answer.status, data: answer.status === 204 ? null : (await answer.json()).data };
}

const login = async (who, secret) => (await api('/api/auth/login', { body: { name: who, password: secret } })).data.token;

await run({
  'before there is an administrator, the page says where the link is': async (browser) => {
    const page = await visitor(browser);
    await page.goto(base);
    await until(async () => /setup|link/i.test(await page.locator('main').innerText()), 'a hint');
    assert.equal(await password(page).count(), 0);
    assert.deepEqual(await faults(page), []);
  },

  'a wrong code is refused in words': async (browser) => {
    const page = await visitor(browser);
    await page.goto(`${base}#/setup/AAAA-BBBB-CCCC`);
    await name(page).fill('boss');
    for (const field of await password(page).all()) await field.fill(PASSWORD);
    await page.locator('form button:not([type=button])').click();
    await until(() => page.locator('[role=alert]').count(), 'the refusal');
    assert.deepEqual(await faults(page), []);
  },

  'the link makes the first administrator, and works once': async (browser) => {
    const page = await visitor(browser);
    await page.goto(`${base}#/setup/${code}`);
    await settle(page);
    assert.deepEqual(await faults(page), []);
    await name(page).fill('boss');
    for (const field of await password(page).all()) await field.fill(PASSWORD);
    await page.locator('form button:not([type=button])').click();
    await isSignedIn(page);
    assert.ok(!page.url().includes(code), 'the code stays in the address');
    const second = await visitor(browser);
    await second.goto(`${base}#/setup/${code}`);
    await settle(second);
    // There is an administrator: who has the link signs in like everybody.
    await asksToSignIn(second);
  },

  'a wrong password is refused, the right one opens the page that was asked for': async (browser) => {
    const page = await visitor(browser);
    await page.goto(`${base}#/services`);
    await asksToSignIn(page);
    await signIn(page, 'boss', 'no such password');
    await until(() => page.locator('[role=alert]').count(), 'the refusal');
    assert.deepEqual(await faults(page), []);
    await signIn(page, 'boss', PASSWORD);
    await isSignedIn(page);
    assert.match(page.url(), /#\/services/);
    await page.reload();
    await isSignedIn(page);
  },

  'a session that ended leads to sign-in and back': async (browser) => {
    const boss = await login('boss', PASSWORD);
    const added = await api('/api/v1/admin/users', { token: boss, body: { name: 'eve', password: PASSWORD, role: 'user' } });
    assert.equal(added.status, 200);
    const page = await visitor(browser);
    await page.goto(base);
    await asksToSignIn(page);
    await signIn(page, 'eve', PASSWORD);
    await isSignedIn(page);
    assert.equal(await page.locator('nav.sidebar a[href*="#/admin"]').count(), 0, 'Admin is for administrators');
    const changed = await api(`/api/v1/admin/users/${added.data.id}`, { method: 'PATCH', token: boss, body: { password: `${PASSWORD} 2` } });
    assert.equal(changed.status, 200);
    await page.evaluate(() => { location.hash = '#/system'; });
    await asksToSignIn(page);
    await signIn(page, 'eve', `${PASSWORD} 2`);
    await isSignedIn(page);
    assert.match(page.url(), /#\/system/);
  },

  'an administrator makes a token that is shown once': async (browser) => {
    const page = await visitor(browser);
    await page.goto(base);
    await asksToSignIn(page);
    await signIn(page, 'boss', PASSWORD);
    await isSignedIn(page);
    await show(page, base, 'admin?tab=tokens');
    await page.locator('button', { hasText: 'New token' }).click();
    const dialog = page.locator('dialog[open]');
    await dialog.locator('input').first().fill('grafana');
    await dialog.locator('button.primary').click();
    const secret = (await until(async () => (await dialog.locator('pre').count()) > 0 && dialog.locator('pre').innerText(), 'the token')).trim();
    assert.equal((await api('/api/v1/labels', { method: 'GET', token: secret })).status, 200);
    await page.keyboard.press('Escape');
    await until(async () => (await page.locator('table').innerText()).includes('grafana'), 'the token in the list');
    await page.reload();
    await settle(page);
    assert.ok(!(await page.content()).includes(secret), 'the token is shown again');
    assert.deepEqual(await faults(page), []);
  },
});
