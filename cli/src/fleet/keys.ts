import { isEnded } from '@hyper2kvm/contracts';
import { printable } from '../lib/format.js';
import { VIEWS, type Action, type Model, type ViewName } from './model.js';
import { placeOf, rowsOf, selectedRow, SORTS, sortOf, type Row } from './rows.js';

/** A key as node:readline tells it. */
export interface Key {
  /** What was typed, where it is a character. */
  readonly text: string;
  readonly name: string;
  readonly ctrl: boolean;
  readonly shift?: boolean;
}

/** What a key asks of the world. */
export type Effect =
  /** Something else is to be seen now: do not wait with the next look. */
  | { readonly kind: 'look' }
  | { readonly kind: 'act'; readonly action: Action }
  /** Draw all of it anew: something else wrote on the screen. */
  | { readonly kind: 'redraw' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'quit'; readonly interrupted: boolean };

export interface Pressed {
  readonly model: Model;
  readonly effect?: Effect;
}

/** @param page lines of the table, or of the open job, that are to be seen */
export function onKey(model: Model, key: Key, page: number): Pressed {
  if (key.ctrl) {
    if (key.name === 'c') return { model, effect: { kind: 'quit', interrupted: true } };
    if (key.name === 'z') return { model, effect: { kind: 'suspend' } };
    if (key.name === 'l') return { model, effect: { kind: 'redraw' } };
    if (key.name === 'u' && model.asking?.kind === 'filter') return { model: top({ ...model, filter: '' }) };
    const turn = PAGES[key.name];
    if (turn === undefined || model.asking !== null) return { model };
    return onKey(model, { text: '', name: turn, ctrl: false }, page);
  }
  if (model.asking?.kind === 'filter') return onFilter(model, key);
  if (model.asking?.kind === 'confirm') return onAnswer(model, key, model.asking.action);
  if (model.help) return { model: { ...model, help: false } };
  return model.open === null ? onFleet(model, key, page) : onOpen(model, key, page);
}

/** As in vi and less. */
const PAGES: Readonly<Record<string, string>> = { f: 'pagedown', b: 'pageup', d: 'pagedown', u: 'pageup' };

const say = (model: Model, text: string): Pressed => ({
  model: { ...model, notice: { text, tone: 'plain', at: model.now } },
});

function onFilter(model: Model, { name, text }: Key): Pressed {
  const type = (filter: string): Pressed => ({ model: top({ ...model, filter }) });
  if (name === 'return' || name === 'enter') return { model: { ...model, asking: null }, effect: { kind: 'look' } };
  if (name === 'escape') return { model: top({ ...model, asking: null, filter: '' }), effect: { kind: 'look' } };
  if (name === 'backspace') return type(withoutLast(model.filter));
  const typed = printable(text);
  return typed === '' ? { model } : type(model.filter + typed);
}

const graphemes = new Intl.Segmenter();
const withoutLast = (text: string): string => text.slice(0, [...graphemes.segment(text)].at(-1)?.index ?? 0);

/** Anything but yes is no. */
function onAnswer(before: Model, { text }: Key, action: Action): Pressed {
  const model: Model = { ...before, asking: null };
  return text === 'y' || text === 'Y' ? { model, effect: { kind: 'act', action } } : say(model, 'Nothing was done.');
}

const top = (model: Model): Model => ({
  ...model,
  selected: { ...model.selected, [model.view]: { id: null, index: 0 } },
});

/** Lines by which a key moves the selection, or the text of an open job. */
function stepOf({ name, text, shift }: Key, page: number): number | undefined {
  if (text === 'G' || name === 'end') return Infinity;
  switch (name) {
    case 'up':
    case 'k':
      return -1;
    case 'down':
    case 'j':
      return 1;
    case 'pageup':
      return -page;
    case 'pagedown':
    case 'space':
      return page;
    case 'home':
      return -Infinity;
    case 'g':
      return shift === true ? Infinity : -Infinity;
    default:
      return undefined;
  }
}

function onFleet(model: Model, key: Key, page: number): Pressed {
  const step = stepOf(key, page);
  if (step !== undefined) return move(model, step);
  const number = Number(key.text);
  const named = Number.isInteger(number) && key.text !== '' ? VIEWS[number - 1] : undefined;
  if (named !== undefined) return show(model, named);
  switch (key.name) {
    case 'tab':
      return show(model, next(model.view, key.shift === true ? -1 : 1));
    case 'right':
      return show(model, next(model.view, 1));
    case 'left':
      return show(model, next(model.view, -1));
    case 'return':
    case 'enter':
    case 'l':
      return open(model);
    case 'escape':
      return back(model);
    case 's':
      return sorted(model);
    case 'c':
      return cancel(model);
    case 'r':
      return retry(model);
    case 'p':
      return pause(model);
    case 'q':
      return { model, effect: { kind: 'quit', interrupted: false } };
    default:
      return typed(model, key.text);
  }
}

function typed(model: Model, text: string): Pressed {
  if (text === '/') return { model: { ...model, asking: { kind: 'filter' } } };
  if (text === '?' || text === 'h') return { model: { ...model, help: true } };
  return { model };
}

function onOpen(model: Model, key: Key, page: number): Pressed {
  const { open } = model;
  if (open === null) return { model };
  const step = stepOf(key, page);
  if (step !== undefined) return { model: { ...model, open: { ...open, scroll: Math.max(0, open.scroll + step) } } };
  switch (key.name) {
    case 'escape':
    case 'return':
    case 'enter':
    case 'left':
    case 'backspace':
    case 'h':
    case 'q':
      return { model: { ...model, open: null }, effect: { kind: 'look' } };
    case 'c':
      return cancel(model);
    case 'r':
      return retry(model);
    default:
      return key.text === '?' ? { model: { ...model, help: true } } : { model };
  }
}

function move(model: Model, step: number): Pressed {
  const rows = rowsOf(model);
  if (rows.length === 0) return { model };
  const place = placeOf(model, rows);
  const index = Math.min(rows.length - 1, Math.max(0, place + step));
  const selected = { ...model.selected, [model.view]: { id: rows[index]?.id ?? null, index } };
  return { model: { ...model, selected } };
}

const next = (view: ViewName, step: number): ViewName =>
  VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length] ?? view;

const show = (model: Model, view: ViewName): Pressed =>
  view === model.view ? { model } : { model: { ...model, view, notice: null }, effect: { kind: 'look' } };

function open(model: Model): Pressed {
  const row = selectedRow(model);
  if (row === undefined) return { model };
  switch (row.kind) {
    case 'job': {
      const job = model.details.get(row.id)?.job ?? null;
      const opened = { jobId: row.id, vm: row.job.vm_name, job, log: [], error: null, scroll: 0 };
      return { model: { ...model, open: opened }, effect: { kind: 'look' } };
    }
    case 'batch': {
      const { batch_id: batch, name } = row.batch;
      return rescoped({ ...model, view: 'running' }, { ...model.base, batch, batchName: name ?? batch });
    }
    case 'worker':
      return say(model, workerWord(row));
  }
}

const workerWord = ({ worker }: Row & { kind: 'worker' }): string =>
  `${printable(worker.worker_id)} on ${printable(worker.host)}, pid ${worker.pid}, version ${printable(worker.version)}: ` +
  (worker.active_jobs.length === 0 ? 'idle' : worker.active_jobs.map(printable).join(', '));

/** Nothing of another scope is shown as if it belonged to this one. */
function rescoped(model: Model, scope: Model['scope']): Pressed {
  const none = { jobs: [], more: false };
  const pages = { running: none, waiting: none, failed: none, completed: none };
  const totals = scope.batch === undefined && scope.tag === undefined ? model.totals : null;
  const emptied: Model = { ...model, scope, pages, totals, etaSeconds: null, filter: '' };
  return { model: top(emptied), effect: { kind: 'look' } };
}

function back(model: Model): Pressed {
  if (model.filter !== '') return { model: top({ ...model, filter: '' }), effect: { kind: 'look' } };
  return model.scope.batch === model.base.batch ? { model } : rescoped(model, model.base);
}

function sorted(model: Model): Pressed {
  const sorts = { ...model.sorts, [model.view]: (model.sorts[model.view] + 1) % SORTS[model.view].length };
  const turned: Model = { ...model, sorts };
  return say(turned, `Sorted by ${sortOf(turned, model.view).by}.`);
}

/** Whose job an action is about: the open one, or the selected one. */
function target(model: Model): { jobId: string; vm: string; status: string } | undefined {
  if (model.open !== null) {
    const { job, jobId, vm } = model.open;
    return job === null ? undefined : { jobId, vm, status: job.status };
  }
  const row = selectedRow(model);
  return row?.kind === 'job' ? { jobId: row.id, vm: row.job.vm_name, status: row.job.status } : undefined;
}

const READ_ONLY = 'Nothing is changed here: hyperctl watch runs with --read-only.';

function ask(model: Model, action: Action): Pressed {
  if (model.readOnly) return say(model, READ_ONLY);
  return { model: { ...model, asking: { kind: 'confirm', action }, notice: null } };
}

function cancel(model: Model): Pressed {
  const job = target(model);
  if (job === undefined) return say(model, 'Which job? Select one of the views 1 to 4.');
  const { jobId, vm, status } = job;
  if (status !== 'failed' && isEnded(status as never))
    return say(model, `${printable(vm)} is ${status}: it has ended.`);
  return ask(model, { kind: 'cancel', jobId, vm });
}

function retry(model: Model): Pressed {
  const job = target(model);
  if (job === undefined) return say(model, 'Which job? Select one of the view 3.');
  const { jobId, vm, status } = job;
  if (status !== 'failed') return say(model, `${printable(vm)} is ${status}: only what failed is tried again.`);
  return ask(model, { kind: 'retry', jobId, vm });
}

function pause(model: Model): Pressed {
  if (model.view !== 'workers') {
    const { model: shown } = say({ ...model, view: 'workers' }, 'Select a worker; p pauses or resumes it.');
    return { model: shown, effect: { kind: 'look' } };
  }
  const row = selectedRow(model);
  if (row?.kind !== 'worker') return say(model, 'No worker is running.');
  const { worker_id: worker, paused, draining } = row.worker;
  return ask(model, { kind: paused || draining === true ? 'resume' : 'pause', worker });
}
