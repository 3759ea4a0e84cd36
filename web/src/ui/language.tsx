// The button that changes to the other language, and remembers it.
import { shell } from '../i18n/shell';
import { useCell } from '../lib/cell';
import { lang, showLang } from '../lib/lang';
import { setParams } from '../lib/nav';
import { remember } from '../lib/storage';

export function LanguageButton() {
  const other = useCell(lang) === 'en' ? 'ru' : 'en';
  const change = (): void => {
    showLang(other);
    remember('lang', other);
    setParams({ lang: null }, 'replace');
  };
  return <button type="button" class="link-button" lang={other} onClick={change}>{shell('otherLanguage')}</button>;
}
