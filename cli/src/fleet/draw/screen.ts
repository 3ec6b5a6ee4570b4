import { printable } from '../../lib/format.js';
import type { Model, OpenJob } from '../model.js';
import { rowsOf, type Row } from '../rows.js';
import { since } from '../words.js';
import { footerLine, helpLines } from './footer.js';
import { healthLine, isUnwell, paceLine, titleLine, totalsLine, workerLines } from './header.js';
import { jobLines } from './job.js';
import { cell, render, span, type Line } from './spans.js';
import { tableLines, tabsLine } from './table.js';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Below these a part of the screen gives way to the table. */
const ROWS_FOR_HEADER = 16;
const ROWS_FOR_FAILURES = 20;
const ROWS_FOR_MANY = 34;

interface Layout {
  readonly above: readonly Line[];
  /** Lines of the table with its head, or of the open job. */
  readonly body: number;
  readonly below: readonly Line[];
}

function layout(model: Model, { columns, rows }: Size): Layout {
  const low = rows < ROWS_FOR_HEADER;
  const title = titleLine(model, columns);
  const health = healthLine(model, columns);
  const footer = footerLine(model, columns);
  if (model.open !== null || model.help) {
    const above = [low && isUnwell(model) ? health : title, ...(low ? [] : [health]), headOf(model)];
    return { above, body: Math.max(1, rows - above.length - 1), below: [footer] };
  }
  if (low) {
    const above = [isUnwell(model) ? health : title, totalsLine(model, columns), tabsLine(model, columns)];
    return { above, body: Math.max(2, rows - above.length - 1), below: [footer] };
  }
  const pace = paceLine(model, columns);
  const workers = model.view === 'workers' ? [] : workerLines(model, columns, rows >= ROWS_FOR_MANY ? 6 : 3);
  const above = [
    title,
    health,
    totalsLine(model, columns),
    // Its place stays when there is nothing to tell: the table is not to jump.
    pace,
    ...workers,
    [],
    tabsLine(model, columns),
  ];
  const failures =
    rows >= ROWS_FOR_FAILURES && model.view === 'running'
      ? failureLines(model, columns, rows >= ROWS_FOR_MANY ? 6 : 3)
      : [];
  const below = [...failures, footer];
  return { above, body: Math.max(2, rows - above.length - below.length), below };
}

const headOf = ({ open, help }: Model): Line => (help || open === null ? [] : [span(printable(open.vm), 'bold')]);

/** Lines by which PageDown moves. */
export function pageOf(model: Model, size: Size): number {
  const { body } = layout(model, size);
  return Math.max(1, model.open === null ? body - 1 : body - 2);
}

/** Rows of the table that are to be seen: of these more is asked than the lists tell. */
export function failuresShown(model: Model): readonly Row[] {
  return model.view === 'running'
    ? rowsOf({ ...model, filter: '', sorts: { ...model.sorts, failed: 0 } }, 'failed').slice(0, 6)
    : [];
}

function failureLines(model: Model, columns: number, most: number): Line[] {
  const rows = failuresShown(model).slice(0, most);
  if (rows.length === 0) return [];
  const name = columns < 60 ? 12 : 20;
  return [
    [span('Failed last', 'bold')],
    ...rows.map((row): Line => {
      if (row.kind !== 'job') return [];
      const { job } = row;
      const detail = model.details.get(job.job_id)?.job;
      const when = job.completed_at === null ? '' : since(job.completed_at, model.now);
      return [
        span('✗ ', 'red'),
        span(`${cell(printable(job.vm_name), name)} `),
        span(`${cell(when, 6, 'right')} `, 'dim'),
        span(`${detail?.failure?.code ?? ''} `, 'red'),
        span(printable(job.error ?? '')),
      ];
    }),
  ];
}

/** The screen: at most `rows` lines of at most `columns` cells. */
export function draw(model: Model, size: Size, color: boolean): string[] {
  const { columns, rows } = size;
  const { above, body, below } = layout(model, size);
  const middle = model.help
    ? helpLines(model).slice(0, body)
    : model.open === null
      ? tableLines(model, columns, body)
      : scrolled({ ...model, open: model.open }, columns, body);
  const filled = [...middle, ...Array.from({ length: Math.max(0, body - middle.length) }, (): Line => [])];
  const lines = [...above, ...filled, ...below];
  // Nothing is as useful as the last line, where questions stand.
  const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), ...lines.slice(-1)];
  return shown.map((line) => render(line, columns, color).trimEnd());
}

function scrolled(model: Model & { open: OpenJob }, columns: number, height: number): Line[] {
  const lines = jobLines(model, columns);
  const from = scrollOf(model.open.scroll, lines.length, height);
  return lines.slice(from, from + height);
}

const scrollOf = (wanted: number, lines: number, height: number): number =>
  Math.max(0, Math.min(wanted, lines - height));

/** As far as the open job can be scrolled: what was asked beyond it is forgotten. */
export function settled(model: Model, size: Size): Model {
  if (model.open === null || model.open.scroll === 0) return model;
  const { open } = model;
  const lines = jobLines({ ...model, open }, size.columns).length;
  return { ...model, open: { ...open, scroll: scrollOf(open.scroll, lines, layout(model, size).body) } };
}
