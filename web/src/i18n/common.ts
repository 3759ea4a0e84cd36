// Words that several pages share.
import { plurals, strings } from '../lib/lang';

export const common = strings(
  {
    cancel: 'Cancel', save: 'Save', edit: 'Edit', close: 'Close', copy: 'Copy', copied: 'Copied', retry: 'Retry', menu: 'Menu', all: 'All',
    filter: 'Filter', noMatch: 'Nothing matches', loading: 'Loading', cannotLoad: 'Could not load this panel',
    noSamples: 'No samples in this range.', lastSample: 'Last sample {ago}.', goThere: 'Go there', nothing: 'Nothing here yet.',
    service: 'Service', services: 'Services', host: 'Host', status: 'Status', operations: 'Operations', operation: 'Operation', errors: 'Errors',
    trend: 'Trend', perSecond: 'Ops/s', active: 'Active', last24h: 'Last 24 h', uptime: 'Uptime', name: 'Name', value: 'Value', time: 'Time',
    count: 'Count', minimum: 'Min', average: 'Avg', maximum: 'Max', current: 'Current', limit: 'Limit', cpu: 'CPU', memory: 'Memory', disk: 'Disk',
    load: 'Load', table: 'Table', graph: 'Graph', reset: 'Reset', lastSeen: 'Last seen', errorClass: 'Class',
  },
  {
    cancel: 'Отмена', save: 'Сохранить', edit: 'Изменить', close: 'Закрыть', copy: 'Копировать', copied: 'Скопировано', retry: 'Повторить', menu: 'Меню', all: 'Все',
    filter: 'Фильтр', noMatch: 'Ничего не найдено', loading: 'Загрузка', cannotLoad: 'Не удалось загрузить',
    noSamples: 'В этом интервале нет отсчётов.', lastSample: 'Последний отсчёт {ago}.', goThere: 'Перейти', nothing: 'Здесь пока ничего нет.',
    service: 'Сервис', services: 'Сервисы', host: 'Хост', status: 'Статус', operations: 'Операции', operation: 'Операция', errors: 'Ошибки',
    trend: 'Тренд', perSecond: 'Опер./с', active: 'Активно', last24h: 'За 24 ч', uptime: 'Время работы', name: 'Имя', value: 'Значение', time: 'Время',
    count: 'Кол-во', minimum: 'Мин', average: 'Сред.', maximum: 'Макс', current: 'Сейчас', limit: 'Лимит', cpu: 'ЦП', memory: 'Память', disk: 'Диск',
    load: 'Нагрузка', table: 'Таблица', graph: 'График', reset: 'Сбросить', lastSeen: 'Последний раз', errorClass: 'Класс',
  },
);

export const countServices = plurals(
  { one: '{n} service', other: '{n} services' },
  { one: '{n} сервис', few: '{n} сервиса', many: '{n} сервисов', other: '{n} сервиса' },
);
export const countSeries = plurals(
  { one: '{n} series', other: '{n} series' },
  { one: '{n} ряд', few: '{n} ряда', many: '{n} рядов', other: '{n} ряда' },
);
