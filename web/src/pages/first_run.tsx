// What the overview is before anybody sends anything.
import { strings } from '../lib/lang';
import { Card, Code } from '../ui/parts';

const t = strings(
  {
    title: 'No data yet', lead: 'The server is running and listening. Three ways to start:', push: '1. Send one number',
    scrape: '2. Scrape what you have', program: '3. Instrument a C program', waiting: 'This page updates by itself when the first sample arrives.',
  },
  {
    title: 'Данных пока нет', lead: 'Сервер работает и ждёт данные. Три способа начать:', push: '1. Отправить одно число',
    scrape: '2. Собрать то, что есть', program: '3. Встроить в программу на C', waiting: 'Страница обновится сама, как только придут первые данные.',
  },
);

const base = (): string => location.origin + location.pathname.replace(/\/[^/]*$/, '');

const pushText = (): string => `echo 'jobs_done 1' |
  curl --data-binary @- \\
  -H "Authorization: Bearer $TOKEN" \\
  ${base()}/api/v1/import/prometheus`;

const SCRAPE_TEXT = `# sonde.yml
scrape_configs:
  - job_name: app
    static_configs:
      - targets: ["localhost:8080"]`;

const PROGRAM_TEXT = `#include <sonde/sonde.h>

static sonde_operation *resize;
resize = sonde_operation_get(
  sonde_service_get(NULL, "demo"),
  "resize");

SONDE_TRACK(track, resize);
resize_image(image);
sonde_track_complete(&track);`;

export function FirstRun() {
  return (
    <div class="first-run">
      <h2>{t('title')}</h2>
      <p>{t('lead')}</p>
      <div class="grid">
        <Card span={4} title={t('push')}><Code>{pushText()}</Code></Card>
        <Card span={4} title={t('scrape')}><Code>{SCRAPE_TEXT}</Code></Card>
        <Card span={4} title={t('program')}><Code>{PROGRAM_TEXT}</Code></Card>
      </div>
      <p class="muted waiting"><span class="pulse" />{t('waiting')}</p>
    </div>
  );
}
