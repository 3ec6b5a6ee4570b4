import { isJobView, STATUSES_OF, VIEWS, type Model, type ViewName } from '../model.js';
import { rowsOf, sortOf, windowOf, type Row } from '../rows.js';
import { count } from '../words.js';
import { COLUMNS, type Column } from './columns.js';
import { cell, fitting, joined, span, type Line } from './spans.js';

const GAP = 1;
/** The mark before the selected line. */
const MARK = 2;

interface Placed {
  readonly column: Column;
  readonly width: number;
}

/** The columns for which there is room, each with its width. */
export function placed(columns: readonly Column[], room: number): Placed[] {
  const chosen = new Set<Column>();
  let used = MARK - GAP;
  for (const column of columns.toSorted((a, b) => a.rank - b.rank)) {
    if (used + GAP + column.width > room && chosen.size > 0) break;
    chosen.add(column);
    used += GAP + column.width;
  }
  const growing = columns.filter((column) => chosen.has(column) && column.grows === true);
  let extra = Math.max(0, room - used);
  return columns
    .filter((column) => chosen.has(column))
    .map((column) => {
      if (column.grows !== true) return { column, width: column.width };
      const share = growing.at(-1) === column ? extra : Math.floor(extra / growing.length / 2);
      extra -= share;
      return { column, width: column.width + share };
    });
}

function rowLine(row: Row, model: Model, columns: readonly Placed[], selected: boolean): Line {
  const body = columns.flatMap(({ column, width }, index): Line => {
    const gap = span(index === 0 ? '' : ' '.repeat(GAP));
    // The selected line is one block: colours within would break it.
    if (column.draw !== undefined && !selected) return [gap, ...column.draw(row, width)];
    return [gap, span(cell(column.text(row, model), width, column.align), column.style?.(row, model))];
  });
  if (!selected) return [span('  '), ...body];
  return [span(`▸ ${body.map(({ text }) => text).join('')}`, 'inverse')];
}

function headLine(model: Model, columns: readonly Placed[]): Line {
  const { by } = sortOf(model, model.view);
  const text = columns.map(({ column: { title, align }, width }) =>
    cell(title === by && title.length < width ? `${title}↓` : title, width, align),
  );
  return [span(`  ${text.join(' '.repeat(GAP))}`, 'bold')];
}

/** The head and `height - 1` lines of rows. */
export function tableLines(model: Model, columns: number, height: number): Line[] {
  const fitted = placed(COLUMNS[model.view], columns);
  const rows = rowsOf(model);
  const { from, shown, place } = windowOf(model, rows, height - 1);
  const lines = shown.map((row, index) => rowLine(row, model, fitted, from + index === place));
  return [headLine(model, fitted), ...(rows.length === 0 ? [[span(`  ${nothing(model)}`, 'dim')]] : lines)];
}

function nothing({ filter, view, seenAt }: Model): string {
  if (seenAt === null) return '...';
  if (filter !== '') return `Nothing here has "${filter}" in it.`;
  const words: Record<ViewName, string> = {
    running: 'Nothing is under way.',
    waiting: 'Nothing waits.',
    failed: 'Nothing failed.',
    completed: 'Nothing is completed yet.',
    batches: 'There are no batches.',
    workers: 'No worker is running.',
  };
  return words[view];
}

const TITLES: Readonly<Record<ViewName, readonly [long: string, short: string]>> = {
  running: ['Running', 'Run'],
  waiting: ['Waiting', 'Wait'],
  failed: ['Failed', 'Fail'],
  completed: ['Completed', 'Done'],
  batches: ['Batches', 'Bat'],
  workers: ['Workers', 'Work'],
};

/** Of a view, by the totals, which know more than the pages that were asked for. */
function size({ totals, workers, pages }: Model, view: ViewName): string {
  if (view === 'workers') return String(workers.length);
  if (view === 'batches') return '';
  if (totals !== null) return count(STATUSES_OF[view].reduce((sum, status) => sum + totals[status], 0));
  return pages[view].jobs.length === 0 ? '' : `${pages[view].jobs.length}${pages[view].more ? '+' : ''}`;
}

/** The views, and what part of this one is to be seen. */
export function tabsLine(model: Model, columns: number): Line {
  const tabs = (name: (view: ViewName, current: boolean) => string): Line =>
    joined(
      VIEWS.map((view, index) => {
        const current = view === model.view;
        const words = [String(index + 1), name(view, current), size(model, view)]
          .filter((word) => word !== '')
          .join(' ');
        return [
          span(
            current ? `[${words}]` : words,
            current ? 'bold' : view === 'failed' && isFailing(model) ? 'red' : 'dim',
          ),
        ];
      }),
      '  ',
    );
  const narrow = (name: (view: ViewName, current: boolean) => string): Line =>
    joined(
      VIEWS.map((view, index) => {
        const current = view === model.view;
        return [
          span(
            current ? `[${index + 1} ${name(view, true)} ${size(model, view)}]` : `${index + 1}${name(view, false)}`,
            current ? 'bold' : 'dim',
          ),
        ];
      }),
      ' ',
    );
  const filter: Line =
    model.filter === '' || model.asking?.kind === 'filter' ? [] : [span(`/${model.filter}`, 'yellow')];
  const more: Line =
    isJobView(model.view) && model.filter !== '' && model.pages[model.view].more
      ? [span(`of the newest ${model.pages[model.view].jobs.length}`, 'dim')]
      : [];
  return fitting(columns, [
    joined([tabs((view) => TITLES[view][0]), filter, more], '  '),
    joined([tabs((view) => TITLES[view][1]), filter], ' '),
    joined([narrow((view) => TITLES[view][1]), filter], ' '),
    joined([narrow((view, current) => (current ? TITLES[view][1] : '')), filter], ' '),
  ]);
}

const isFailing = ({ totals }: Model): boolean => (totals?.failed ?? 0) > 0;
