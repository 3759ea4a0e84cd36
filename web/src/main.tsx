// The start: settings of the address and the browser, who we are, then the app.
import { render } from 'preact';
import { App } from './app';
import { showLang } from './lib/lang';
import { startLive } from './lib/live';
import { route } from './lib/nav';
import { access, loadSession } from './lib/session';
import { recall } from './lib/storage';
import { startTheme } from './lib/theme';

const RETRY_MS = 3000;

function chooseLanguage(): void {
  const wanted = route.value.query.get('lang') ?? recall('lang') ?? navigator.language;
  showLang(wanted.toLowerCase().startsWith('ru') ? 'ru' : 'en');
}

async function start(): Promise<void> {
  try {
    await loadSession();
  } catch {
    // No answer yet: the frame is shown, its banner says so, and we ask until there is one.
    if (access.value === null) access.set({ access: 'required', has_admin: true });
    setTimeout(() => void start(), RETRY_MS);
  }
}

startTheme(route.value.query.get('theme'));
chooseLanguage();
route.subscribe(() => {
  if (route.value.query.has('lang')) chooseLanguage();
});
const root = document.getElementById('app');
if (root) render(<App />, root);
void start().then(startLive);
