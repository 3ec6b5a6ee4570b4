import { durationWord } from '@hyper2kvm/contracts';
import { plural, printable } from '../lib/format.js';
import { table } from '../lib/table.js';
import { workerTable } from '../lib/workers/show.js';
import type { ServiceView, StatusView } from './view.js';

const TITLES: Readonly<Record<StatusView['manager'], string>> = {
  local: 'Local stack',
  systemd: 'systemd',
  remote: 'Another machine',
};

/** What `hyperctl daemon status` prints. */
export function statusLines(view: StatusView, columns?: number): string[] {
  const { manager, state, error, home, gateway_url: url, queue_depth: queue } = view;
  const rows = view.services.map((one) => [
    one.name,
    stateWord(one),
    one.pid === null && manager !== 'remote' ? '-' : one.health,
    one.uptime_seconds === null ? '-' : durationWord(one.uptime_seconds),
    one.version === null ? '-' : printable(one.version),
    workWord(one),
    one.pid === null ? '-' : String(one.pid),
    String(one.restarts),
    one.log,
  ]);
  const heads = ['SERVICE', 'STATE', 'HEALTH', 'UPTIME', 'VERSION', 'JOBS', 'PID', 'RESTARTS', 'LOG'];
  const others = view.other_workers;
  return [
    `${`${TITLES[manager]}:`.padEnd(12)} ${state}${error === null ? '' : ` (${error})`}${home === null ? '' : `, home ${home}`}`,
    ...(url === null ? [] : [`Gateway:     ${url}`]),
    ...(view.gateway_error === null ? [] : [`             its view is missing: ${printable(view.gateway_error)}`]),
    ...(queue === null
      ? []
      : [
          `Queue:       ${plural(queue.high + queue.normal + queue.low, 'message')} (high ${queue.high}, normal ${queue.normal}, low ${queue.low}); ${plural(view.active_jobs ?? 0, 'job')} not ended`,
        ]),
    ...(rows.length === 0
      ? []
      : ['', ...(manager === 'remote' ? short(heads, rows, columns) : table(heads, rows, columns))]),
    ...(others.length === 0
      ? []
      : ['', ...(manager === 'remote' ? [] : ['Workers elsewhere:']), ...workerTable(others, columns)]),
    ...(manager === 'remote' && others.length === 0 ? ['', 'No worker is there: jobs wait.'] : []),
  ];
}

/** Of another machine neither processes nor logs are known. */
const short = (heads: readonly string[], rows: readonly (readonly string[])[], columns?: number): string[] =>
  table(
    heads.slice(0, 5),
    rows.map((row) => row.slice(0, 5)),
    columns,
  );

const stateWord = ({ state, wanted }: ServiceView): string =>
  state === 'stopped' && !wanted ? 'stopped on purpose' : state;

/** `1/4`, `1/4 paused` */
const workWord = ({ worker }: ServiceView): string =>
  worker === null
    ? '-'
    : `${worker.active_jobs.length}/${worker.slots}${worker.status === 'running' ? '' : ` ${worker.status}`}`;
