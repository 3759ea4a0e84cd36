// English and Russian. Each page has its own strings: `const t = strings({...en}, {...ru})`; a Russian
// string that is missing, or one too many, does not compile.
import { cell } from './cell';

export type Lang = 'en' | 'ru';
export const lang = cell<Lang>('en');

export function showLang(next: Lang): void {
  lang.set(next);
  document.documentElement.lang = next;
}

/** For Intl: British English writes 24 hours and day before month. */
export const locale = (): string => (lang.value === 'ru' ? 'ru-RU' : 'en-GB');

export type Values = Record<string, string | number>;

function fill(text: string, values: Values | undefined): string {
  return values ? text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all)) : text;
}

/** A function from key to text in the language of the moment; {name} is filled from the values. */
export function strings<T extends Record<string, string>>(en: T, ru: NoInfer<Record<keyof T, string>>) {
  return (key: keyof T, values?: Values): string => fill((lang.value === 'ru' ? ru : en)[key], values);
}

export interface EnglishForms { one: string; other: string }
export interface RussianForms { one: string; few: string; many: string; other: string }

const rules: Record<Lang, Intl.PluralRules> = { en: new Intl.PluralRules('en'), ru: new Intl.PluralRules('ru') };

/** A function from a number to "3 services"; {n} is the number as it is written. */
export function plurals(en: EnglishForms, ru: RussianForms) {
  return (n: number): string => {
    const forms: Partial<Record<Intl.LDMLPluralRule, string>> = lang.value === 'ru' ? ru : en;
    const form = forms[rules[lang.value].select(n)] ?? forms.other ?? '';
    return form.replace('{n}', new Intl.NumberFormat(locale()).format(n));
  };
}
