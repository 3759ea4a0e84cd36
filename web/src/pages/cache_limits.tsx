// The drawer in which an administrator changes the limits of all caches, or of one.
import { useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { useAction } from '../lib/action';
import { request } from '../lib/api';
import { strings } from '../lib/lang';
import { Dialog } from '../ui/dialog';
import { Field, Refusal } from '../ui/parts';
import { cacheId, cacheLabel, fieldsOf, isPercent, parseFields, THRESHOLD_NAMES, type CacheRow, type Fields, type ThresholdName, type Thresholds } from '../lib/cache_rules';

const t = strings(
  {
    title: 'Alert limits', of: 'Limits of', all: 'All caches', min_hit_rate: 'Hit rate, at least (%)', max_memory_usage_mb: 'Memory used, at most (MiB)',
    max_response_time_ms: 'Average response time, at most (ms)', max_fragmentation: 'Fragmentation, at most (%)', percent: 'A number from 0 to 100.', positive: 'A number above 0.',
    forAll: 'Caches with limits of their own keep them.', forOne: 'This cache then has limits of its own.', failed: 'Not saved: {why}', unchanged: 'Nothing was changed.',
  },
  {
    title: 'Пороги алертов', of: 'Пороги для', all: 'Все кэши', min_hit_rate: 'Доля попаданий, не меньше (%)', max_memory_usage_mb: 'Занято памяти, не больше (МиБ)',
    max_response_time_ms: 'Среднее время ответа, не больше (мс)', max_fragmentation: 'Фрагментация, не больше (%)', percent: 'Число от 0 до 100.', positive: 'Число больше 0.',
    forAll: 'Кэши с собственными порогами сохраняют их.', forOne: 'У этого кэша будут собственные пороги.', failed: 'Не сохранено: {why}', unchanged: 'Ничего не изменено.',
  },
);

interface LimitsProps { caches: CacheRow[]; thresholds: Thresholds; isOpen: boolean; onClose: () => void; onSaved: () => void }

function NumberField({ name, value, isWrong, onInput }: { name: ThresholdName; value: string; isWrong: boolean; onInput: (text: string) => void }) {
  return (
    <Field label={t(name)} note={isWrong ? <span class="text-critical" role="alert">{t(isPercent(name) ? 'percent' : 'positive')}</span> : undefined}>
      <input inputMode="decimal" autocomplete="off" required value={value} aria-invalid={isWrong} onInput={(event) => onInput(event.currentTarget.value)} />
    </Field>
  );
}

function Form({ caches, thresholds, onClose, onSaved }: Omit<LimitsProps, 'isOpen'>) {
  const [id, setId] = useState('');
  const [fields, setFields] = useState<Fields>(() => fieldsOf(thresholds));
  const { message, setMessage, run } = useAction(({ message: why }) => t('failed', { why }));
  const [isTried, setTried] = useState(false);
  const chosen = caches.find((row) => cacheId(row) === id);
  const before = chosen?.thresholds ?? thresholds;
  const { changes, wrong } = parseFields(fields, before);

  const choose = (next: string): void => {
    setId(next);
    setFields(fieldsOf(caches.find((row) => cacheId(row) === next)?.thresholds ?? thresholds));
    setTried(false);
    setMessage('');
  };
  const save = async (): Promise<void> => {
    const target = chosen ? { service: chosen.service, cache: chosen.cache } : {};
    await request('api/v1/cache/thresholds', { method: 'PUT', body: { ...target, ...changes } });
    onSaved();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setTried(true);
    setMessage(wrong.length === 0 && Object.keys(changes).length === 0 ? t('unchanged') : '');
    if (wrong.length === 0 && Object.keys(changes).length > 0) void run(save);
  };
  return (
    <form noValidate onSubmit={submit}>
      <Field label={t('of')} note={t(chosen ? 'forOne' : 'forAll')}>
        <select value={id} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{t('all')}</option>
          {caches.map((row) => <option key={cacheId(row)} value={cacheId(row)}>{cacheLabel(row)}</option>)}
        </select>
      </Field>
      {THRESHOLD_NAMES.map((name) => (
        <NumberField
          key={name} name={name} value={fields[name]} isWrong={isTried && wrong.includes(name)}
          onInput={(text) => setFields({ ...fields, [name]: text })}
        />
      ))}
      <Refusal>{message}</Refusal>
      <div class="form-actions">
        <button type="submit" class="button primary">{common('save')}</button>
        <button type="button" class="button" onClick={onClose}>{common('cancel')}</button>
      </div>
    </form>
  );
}

export function LimitsDrawer({ isOpen, onClose, ...props }: LimitsProps) {
  return <Dialog isOpen={isOpen} onClose={onClose} title={t('title')} class="drawer"><Form onClose={onClose} {...props} /></Dialog>;
}
