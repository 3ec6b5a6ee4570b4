import type { InventoryVm } from '@hyper2kvm/contracts';
import { printable, sizeWord } from './format.js';
import { fit, pad, stringWidth } from './width.js';

interface Column {
  readonly head: string;
  readonly cell: (vm: InventoryVm) => string;
  /** On a narrow terminal the columns go in this order; the name stays. */
  readonly goes?: number;
}

/** The folder is last: it is the longest, and the least missed where a line is cut. */
const COLUMNS: readonly Column[] = [
  { head: 'NAME', cell: (vm) => printable(vm.name) },
  { head: 'POWER', cell: (vm) => powerWord(vm), goes: 7 },
  { head: 'DISKS', cell: (vm) => String(vm.disks), goes: 4 },
  { head: 'SIZE', cell: (vm) => sizeWord(vm.capacity_bytes), goes: 5 },
  { head: 'USED', cell: (vm) => (vm.used_bytes === undefined ? '-' : sizeWord(vm.used_bytes)), goes: 3 },
  { head: 'GUEST', cell: (vm) => printable(vm.guest_name ?? '-'), goes: 1 },
  { head: 'ID', cell: (vm) => printable(vm.moref), goes: 6 },
  { head: 'FOLDER', cell: (vm) => printable(vm.folder), goes: 2 },
];
const TAGS: Column = { head: 'TAGS', cell: (vm) => printable(vm.tags?.join(', ') ?? ''), goes: 0 };

/** A folder of which so little is left tells nothing. */
const LEAST_FOLDER = 12;

function powerWord(vm: InventoryVm): string {
  if (vm.template) return 'template';
  const words = { poweredOn: 'on', poweredOff: 'off', suspended: 'suspended' } as const;
  return vm.power_state === undefined ? 'unknown' : words[vm.power_state];
}

/** Lines of a list that comes in parts; the first part decides on the columns and their widths. */
export class VmTable {
  #columns: readonly { readonly column: Column; readonly width: number }[] | undefined;

  /** @param width cells of the terminal; undefined where nothing is to be cut */
  constructor(private readonly width: number | undefined) {}

  lines(vms: readonly InventoryVm[]): string[] {
    const first = this.#columns === undefined;
    this.#columns ??= choose(vms, this.width);
    const columns = this.#columns;
    const line = (cell: (column: Column) => string): string => {
      const text = columns
        .map(({ column, width }) => pad(cell(column), width))
        .join('  ')
        .trimEnd();
      return this.width === undefined ? text : fit(text, this.width);
    };
    const rows = vms.map((vm) => line((column) => column.cell(vm)));
    return first ? [line(({ head }) => head), ...rows] : rows;
  }
}

function choose(
  vms: readonly InventoryVm[],
  width: number | undefined,
): { readonly column: Column; readonly width: number }[] {
  const all = vms.some(({ tags }) => tags !== undefined) ? [...COLUMNS, TAGS] : COLUMNS;
  let columns = all.map((column) => ({
    column,
    width: Math.max(stringWidth(column.head), ...vms.map((vm) => stringWidth(column.cell(vm)))),
  }));
  const needed = (): number =>
    columns.reduce((sum, { column, width: wide }) => {
      // The last column may be cut.
      return sum + 2 + (column.head === 'FOLDER' ? Math.min(wide, LEAST_FOLDER) : wide);
    }, -2);
  const going = columns.filter(({ column }) => column.goes !== undefined);
  for (const { column: gone } of going.toSorted((a, b) => (a.column.goes ?? 0) - (b.column.goes ?? 0))) {
    if (width === undefined || needed() <= width) break;
    columns = columns.filter(({ column }) => column !== gone);
  }
  return columns;
}
