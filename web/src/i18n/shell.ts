// Words of the frame around the pages.
import { strings } from '../lib/lang';

export const shell = strings(
  {
    investigate: 'Investigate', resources: 'Resources', plan: 'Plan', skip: 'Skip to content', menu: 'Menu', navigation: 'Pages',
    search: 'Search or jump to…', noHit: 'Nothing found', page: 'Page', metric: 'Metric', live: 'Live', paused: 'Paused',
    theme: 'Light or dark', account: 'Account', signOut: 'Sign out', shortcuts: 'Keyboard shortcuts', resetZoom: 'Reset zoom',
    range: 'Time range', last: 'Last {time}', custom: 'Custom range…', from: 'From', to: 'To', apply: 'Apply',
    timeHint: '“2h ago”, “yesterday”, “14:30”, “2026-11-28 14:30”', badTime: 'not understood', badOrder: '“From” has to be before “To”.',
    utc: 'Show times in UTC', localTime: 'Show local time', openAccess: 'Open access: no sign-in', otherLanguage: 'Русский', notFound: 'There is no page “{page}”.', toOverview: 'To the overview',
    keySearch: 'Search and jump', keyLive: 'Live or paused', keyRange: 'Shorter or longer range', keyZoom: 'Reset zoom', keyTheme: 'Light or dark',
    keyChart: 'Move along the focused chart', keyHelp: 'This list', or: 'or', space: 'Space',
  },
  {
    investigate: 'Анализ', resources: 'Ресурсы', plan: 'Планирование', skip: 'К содержимому', menu: 'Меню', navigation: 'Страницы',
    search: 'Поиск и переход…', noHit: 'Ничего не найдено', page: 'Страница', metric: 'Метрика', live: 'Вживую', paused: 'Пауза',
    theme: 'Светлая или тёмная тема', account: 'Учётная запись', signOut: 'Выйти', shortcuts: 'Горячие клавиши', resetZoom: 'Сбросить масштаб',
    range: 'Интервал времени', last: 'За {time}', custom: 'Свой интервал…', from: 'С', to: 'По', apply: 'Применить',
    timeHint: '«2h ago», «вчера», «14:30», «2026-11-28 14:30»', badTime: 'не понято', badOrder: '«С» должно быть раньше «По».',
    utc: 'Время UTC', localTime: 'Местное время', openAccess: 'Открытый доступ: без входа', otherLanguage: 'English', notFound: 'Страницы «{page}» нет.', toOverview: 'К обзору',
    keySearch: 'Поиск и переход', keyLive: 'Вживую или пауза', keyRange: 'Меньший или больший интервал', keyZoom: 'Сбросить масштаб', keyTheme: 'Светлая или тёмная тема',
    keyChart: 'Курсор по графику в фокусе', keyHelp: 'Эта подсказка', or: 'или', space: 'Пробел',
  },
);
