import type { Health, WorkerHeartbeat } from '@hyper2kvm/contracts';
import { printable, rateWord } from '../../lib/format.js';
import { spanWord } from '../../lib/when.js';
import { underWay, type Model, type Totals } from '../model.js';
import { clock, count, shortSpan, spaceWord } from '../words.js';
import { bar, cellsOf, ends, fitting, joined, span, type Line, type Style } from './spans.js';

/** Who has not answered for so long may never do. */
const SLOW_MS = 10_000;
/** What a job said of its rate counts for so long. */
const RATE_MS = 60_000;
const WIDEST_BAR = 40;

const isSlow = ({ askedAt, now }: Model): boolean => askedAt !== null && now - askedAt > SLOW_MS;

/** Who is asked, and when it answered last: a clock that stands still is a gateway that does not answer. */
export function titleLine(model: Model, columns: number): Line {
  const { gateway, context, scope, version, seenAt } = model;
  const name: Line = [span('hyperctl watch', 'bold')];
  const where: Line = [span(printable(context === null ? gateway : `${context} (${gateway})`), 'cyan')];
  const what = [
    ...(scope.batch === undefined ? [] : [`batch ${printable(scope.batchName ?? scope.batch)}`]),
    ...(scope.tag === undefined ? [] : [`tag ${printable(scope.tag)}`]),
    ...(model.readOnly ? ['read-only'] : []),
  ];
  const only: Line = what.length === 0 ? [] : [span(what.join(', '), 'yellow')];
  const late = model.trouble !== null || isSlow(model);
  const time: Line = [span(seenAt === null ? '--:--:--' : clock(seenAt), late ? 'red' : undefined)];
  const about: Line = version === null ? time : [span(`${printable(version)}  `, 'dim'), ...time];
  return fitting(columns, [
    ends(joined([name, where, only], '  '), about, columns),
    ends(joined([where, only], '  '), time, columns),
    ends(
      only.length > 0 ? only : [span(printable(context ?? gateway.replace(/^\w+:\/\//, '')), 'cyan')],
      time,
      columns,
    ),
    time,
  ]);
}

/** What is wrong, or else that nothing is. */
export function healthLine(model: Model, columns: number): Line {
  const { trouble, health, askedAt, now } = model;
  if (trouble !== null) {
    const lost = shortSpan(now - trouble.since);
    const parts = health === null ? [] : servicesOf(health).filter(({ ok }) => !ok);
    const why = parts.length === 0 ? '' : ` (${parts.map(({ name }) => name).join(', ')} down)`;
    return fitting(columns, [
      [span(`No answer for ${lost}, trying again: ${printable(trouble.message)}${why}`, 'red')],
      [span(`No answer for ${lost}: ${printable(trouble.message)}${why}`, 'red')],
    ]);
  }
  if (isSlow(model)) return [span(`Waiting for an answer for ${shortSpan(now - (askedAt ?? now))}`, 'yellow')];
  if (health === null) return [span('Asking the gateway...', 'dim')];
  const services = servicesOf(health);
  const words = (name: 'name' | 'short'): Line =>
    joined(
      services.map((service) => [
        span(service.ok ? '✓ ' : '✗ ', service.ok ? 'green' : 'red'),
        span(service.ok ? service[name] : `${service[name]} down`, service.ok ? undefined : 'red'),
      ]),
      '  ',
    );
  return fitting(columns, [words('name'), words('short')]);
}

interface Service {
  readonly name: string;
  readonly short: string;
  readonly ok: boolean;
}
const servicesOf = (health: Health): Service[] => [
  { name: 'exporter', short: 'exp', ok: health.exporter_reachable },
  { name: 'converter', short: 'conv', ok: health.converter_reachable },
  { name: 'database', short: 'db', ok: health.database === 'ok' },
  { name: 'NATS', short: 'NATS', ok: health.nats === 'ok' },
  // Nobody has asked a vCenter yet: nothing is known to be wrong.
  ...(health.vsphere_connection === 'failed' ? [{ name: 'vCenter', short: 'vc', ok: false }] : []),
];

/** Whether the line of health says something that has to be seen also where there is little room. */
export const isUnwell = (model: Model): boolean =>
  model.trouble !== null || isSlow(model) || (model.health !== null && servicesOf(model.health).some(({ ok }) => !ok));

const part = (value: number, word: string, style?: Style): Line =>
  value === 0 ? [] : [span(count(value), style), span(` ${word}`, 'dim')];

export function totalsLine({ totals }: Model, columns: number): Line {
  if (totals === null) return [span('...', 'dim')];
  const all = Object.values(totals).reduce((sum, value) => sum + value, 0);
  if (all === 0) return [span('No jobs yet: hyperctl convert --vm <name> starts one.', 'dim')];
  const ended = totals.completed + totals.failed + totals.cancelled;
  const words = joined(
    [
      part(totals.completed, 'done', 'green'),
      part(totals.failed, 'failed', 'red'),
      part(totals.cancelled, 'cancelled', 'yellow'),
      part(underWay(totals), 'running', 'cyan'),
      part(totals.pending, 'waiting'),
    ],
    ' · ',
  );
  const percent = `${Math.floor((100 * ended) / all)}%`;
  const width = Math.min(WIDEST_BAR, columns - cellsOf(words) - percent.length - 3);
  const short: Line = [
    span(`${percent} `),
    ...joined(
      [
        [span(`${totals.completed}✓`, 'green')],
        totals.failed === 0 ? [] : [span(`${totals.failed}✗`, 'red')],
        [span(`${underWay(totals)}▶`, 'cyan')],
        [span(`${totals.pending} wait`)],
        [span(`of ${all}`, 'dim')],
      ],
      ' ',
    ),
  ];
  if (width >= 8) return [...stacked(totals, all, width), span(` ${percent}  `), ...words];
  return fitting(columns, [[span(`${percent}  `), ...words], short]);
}

/** Each status with its share; one that is there at all has a cell, where there is room. */
function stacked(totals: Totals, all: number, width: number): Line {
  const parts: [number, string, Style | undefined][] = [
    [totals.completed, '█', 'green'],
    [totals.failed, '▓', 'red'],
    [totals.cancelled, '▓', 'yellow'],
    [underWay(totals), '▒', 'cyan'],
  ];
  let left = width;
  const line: Line = parts.map(([value, sign, style]) => {
    const wide = Math.min(left, value === 0 ? 0 : Math.max(1, Math.round((value / all) * width)));
    left -= wide;
    return span(sign.repeat(wide), style);
  });
  return [...line, span('░'.repeat(left), 'dim')];
}

const HOUR_MS = 3_600_000;
/** A forecast of many hours is none of minutes. */
const roundSpan = (ms: number): string => spanWord(ms > 3 * HOUR_MS ? Math.round(ms / HOUR_MS) * HOUR_MS : ms);

/** How fast it goes, and until when. */
export function paceLine(model: Model, columns: number): Line {
  const { hour, totals, etaSeconds, details, now, seenAt, scope } = model;
  const rate = [...details.values()]
    .filter(({ job, at }) => job.status === 'exporting' && (seenAt ?? now) - at < RATE_MS)
    .reduce((sum, { job }) => sum + (job.progress.bytes_per_second ?? 0), 0);
  const whole = scope.batch === undefined && scope.tag === undefined;
  const waits = totals?.pending ?? 0;
  const left =
    etaSeconds !== null
      ? `about ${roundSpan(etaSeconds * 1000)} left`
      : whole && hour !== null && hour.exports > 0 && waits > 0
        ? `about ${roundSpan((waits / hour.exports) * HOUR_MS)} until the last one starts`
        : '';
  const words = (long: boolean): Line =>
    joined(
      [
        rate === 0 ? [] : [span(`${rateWord(rate)}${long ? ' now' : ''}`, 'bold')],
        hour === null || hour.exports === 0
          ? []
          : [span(`${count(hour.exports)} ${long ? 'exported in the last hour' : 'VMs/h'}`)],
        hour?.bytesPerSecond == null || hour.exports === 0 || !long || !whole
          ? []
          : [span(`${rateWord(hour.bytesPerSecond)} each`)],
        left === '' ? [] : [span(long ? left : left.replace(/ until.*/, ' left'))],
      ],
      ' · ',
    );
  return fitting(columns, [words(true), words(false)]);
}

const stateOf = ({ draining, paused, active_jobs: jobs }: WorkerHeartbeat): { word: string; style?: Style } => {
  if (draining === true) return { word: jobs.length === 0 ? 'drained' : 'draining', style: 'yellow' };
  return paused ? { word: 'paused', style: 'yellow' } : { word: 'running' };
};
export { stateOf as workerState };

/** A line for each worker where there is room for all of them, else one for the whole. */
export function workerLines({ workers, seenAt }: Model, columns: number, room: number): Line[] {
  if (room < 1 || seenAt === null) return [];
  if (workers.length === 0) return [[span('No worker is running: nothing is exported or converted.', 'red')]];
  if (workers.length > room) return [workersLine(workers)];
  return workers.map((worker) => {
    const { word, style } = stateOf(worker);
    const busy = worker.active_jobs.length;
    const free = worker.disk_free_bytes === null ? '' : ` · ${spaceWord(worker.disk_free_bytes)} free`;
    const width = Math.min(worker.slots, 10);
    const slots: Line = [
      ...bar(worker.slots === 0 ? 0 : busy / worker.slots, width, 'cyan'),
      span(` ${busy}/${worker.slots}`),
    ];
    const name = printable(worker.worker_id);
    const pools = worker.pools.filter((pool) => pool !== 'any').map(printable);
    return fitting(columns, [
      [
        span(`${printable(worker.service).padEnd(9)} `, 'dim'),
        span(`${name.padEnd(14)} `),
        ...slots,
        span(free),
        span(pools.length === 0 ? '' : ` · ${pools.join(', ')}`, 'dim'),
        span(word === 'running' ? '' : ` · ${word}`, style),
      ],
      [
        span(`${name} `),
        span(`${busy}/${worker.slots}`),
        span(free),
        span(word === 'running' ? '' : ` · ${word}`, style),
      ],
    ]);
  });
}

function workersLine(workers: readonly WorkerHeartbeat[]): Line {
  const busy = workers.reduce((sum, { active_jobs: jobs }) => sum + jobs.length, 0);
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const halted = workers.filter((worker) => stateOf(worker).word !== 'running').length;
  const free = workers.map(({ disk_free_bytes: bytes }) => bytes).filter((bytes) => bytes !== null);
  return joined(
    [
      [span(`${workers.length} workers`)],
      [span(`${busy} of ${slots} slots`)],
      halted === 0 ? [] : [span(`${halted} paused or draining`, 'yellow')],
      free.length === 0 ? [] : [span(`least free ${spaceWord(Math.min(...free))}`)],
    ],
    ' · ',
  );
}
