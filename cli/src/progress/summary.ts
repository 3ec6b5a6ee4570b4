import { durationWord, type JobDetail } from '@hyper2kvm/contracts';
import type { DomainFacts } from '../lib/domain-xml.js';
import { asciiMarks } from '../lib/marks.js';
import { originOfJob, type Origin } from '../lib/origin.js';
import { printable, shellQuote, sizeWord } from '../lib/format.js';
import { virtInstall } from '../lib/virt-install.js';
import { fit, pad, painter, stringWidth, type Paint } from '../lib/width.js';
import { wrap } from '../lib/wrap.js';
import { cleaningOf, notCleaned } from './cleanup.js';
import { hang } from './hang.js';
import { isResting } from './resting.js';
import { toldRows } from './told.js';

export interface SummaryOptions {
  readonly color: boolean;
  readonly columns: number;
  /** From the job's domain.xml, where it can be read here. */
  readonly domain?: DomainFacts | undefined;
  /** Where the VM came from, where more of it is known than the job says. */
  readonly origin?: Origin | undefined;
  /** Who is told, and the trace, beside what came out: for who asks about a job. */
  readonly full?: boolean | undefined;
}

const WIDEST_BOX = 58;
const LABEL = 15;

/** The end of a job: box, what came out, and what to do next. Commands are never cut: they are to be copied. */
export function summaryLines(job: JobDetail, options: SummaryOptions): string[] {
  const paint = painter(options.color);
  switch (job.status) {
    case 'completed':
      return [
        ...box('✅ Conversion Successful', 'green', paint, options),
        '',
        ...facts(job, options, paint),
        '',
        ...nextSteps(job, options),
      ];
    case 'failed':
      return [
        ...box('❌ Conversion Failed', 'red', paint, options),
        '',
        ...failure(job, options, paint),
        ...leftovers(job, paint),
        ...told(job, options),
      ];
    case 'cancelled':
      return [
        ...box('🛑 Conversion Cancelled', 'yellow', paint, options),
        '',
        row('Job ID', job.job_id),
        row('Source VM', printable(job.vm_name)),
        ...leftovers(job, paint),
        ...told(job, options),
        ...trace(job, options),
      ];
    case 'exported':
      return isResting(job) ? [...box('✅ Export Complete', 'green', paint, options), '', ...rest(job, options)] : [];
    case 'pending':
    case 'exporting':
    case 'converting':
      return [];
  }
}

/** The disks are there; what is next is the user's to say. */
const rest = (job: JobDetail, options: SummaryOptions): string[] => [
  row('Job ID', job.job_id),
  row('Source VM', printable(job.vm_name)),
  row('Total Size', sizeWord(job.export.total_bytes)),
  ...(job.export.duration === null ? [] : [row('Total Time', job.export.duration)]),
  ...told(job, options),
  ...trace(job, options),
  '',
  'Next step:',
  '',
  `   hyperctl convert --job ${job.job_id}`,
];

function box(name: string, style: 'green' | 'red' | 'yellow', paint: Paint, options: SummaryOptions): string[] {
  const title = asciiMarks(name);
  const inner = Math.min(WIDEST_BOX, options.columns - 2);
  if (inner < stringWidth(title) + 2) return ['', paint(style, fit(title, options.columns))];
  const left = Math.floor((inner - stringWidth(title)) / 2);
  return [
    '',
    paint(style, `╔${'═'.repeat(inner)}╗`),
    paint(style, `║${pad(' '.repeat(left) + title, inner)}║`),
    paint(style, `╚${'═'.repeat(inner)}╝`),
  ];
}

const told = (job: JobDetail, { full = false }: SummaryOptions): string[] =>
  full ? toldRows(job).map(([label, value]) => row(label, value)) : [];
const trace = (job: JobDetail, { full = false }: SummaryOptions): string[] =>
  full && job.trace_id !== null ? [row('Trace', job.trace_id)] : [];

/** The same with a value of several words, broken between them; where nothing is to be copied. */
const prose = (label: string, value: string, { columns }: SummaryOptions): string[] =>
  wrap(row(label, value), columns, LABEL);

export const row = (label: string, value: string): string =>
  `${(label === '' ? '' : `${label}:`).padEnd(LABEL)}${value}`;

function facts(job: JobDetail, options: SummaryOptions, paint: Paint): string[] {
  const origin = options.origin ?? originOfJob(job);
  return [
    row('Job ID', job.job_id),
    row('Source VM', `${printable(job.vm_name)} (${origin.local ? printable(origin.label) : 'vSphere'})`),
    ...(job.guest === null ? [] : prose('Guest OS', printable(job.guest), options)),
    row('Total Size', sizeWord(job.export.total_bytes)),
    row('Total Time', job.duration_seconds === null ? 'unknown' : durationWord(job.duration_seconds)),
    row('Output', job.output_dir === null ? 'unknown' : `${job.output_dir.replace(/\/+$/, '')}/`),
    ...domain(job),
    ...proof(job, options),
    ...cleanupRow(job, paint),
    ...told(job, options),
    ...trace(job, options),
    ...job.concerns.flatMap((concern) =>
      hang(`⚠️  ${printable(concern)}`, options.columns).map((line) => paint('yellow', line)),
    ),
  ];
}

function proof(job: JobDetail, options: SummaryOptions): string[] {
  if (job.proof === null) return [row('Boot proof', 'not asked for (--verify-boot)')];
  const { booted, kernel, addresses, seconds, failed_units: failed, serial_log: log, screenshot } = job.proof;
  const parts = [
    ...(kernel === undefined ? [] : [`kernel ${printable(kernel)}`]),
    ...(addresses.length === 0 ? ['no address'] : [addresses.map(printable).join(', ')]),
    durationWord(seconds),
  ];
  return [
    ...prose('Boot proof', `${booted ? '✅ booted' : '❌ did not boot'}: ${parts.join(', ')}`, options),
    ...(failed.length === 0 ? [] : prose('', `⚠️  failed units: ${failed.map(printable).join(', ')}`, options)),
    row('Evidence', log),
    ...(screenshot === undefined ? [] : [row('', screenshot)]),
  ];
}

function domain({ libvirt_domain: name, import: imported }: JobDetail): string[] {
  if (imported?.status === 'queued' || imported?.status === 'in_progress') return [row('Domain', 'is being imported')];
  const report = imported?.report ?? null;
  const why = imported?.failure ?? null;
  if (name === null)
    return [row('Domain', why === null ? 'not defined in libvirt' : `import failed: ${printable(why.message)}`)];
  const where = report === null ? '' : ` (${printable(report.libvirt_uri)}${report.started ? ', started' : ''})`;
  return [row('Domain', `${printable(name)}${where}`)];
}

/** Of the removal of what an export left: nothing where all is gone. */
export function cleanupRow(job: JobDetail, paint: Paint): string[] {
  const state = cleaningOf(job);
  if (state === 'goes on') return [row('Clean-up', 'goes on: what the export left is being removed')];
  if (state !== 'stopped' || job.cleanup === null) return [];
  return [row('Clean-up', paint('yellow', `⚠️  ${notCleaned(job.cleanup)}`))];
}

/** Of a job that came to nothing: what is not as it was before. */
const leftovers = (job: JobDetail, paint: Paint): string[] => [
  ...cleanupRow(job, paint),
  ...(job.source_power === 'keep'
    ? []
    : [row('Source', 'it may be off (--source-power): if so, power it on in vCenter to go on with it')]),
];

function nextSteps(job: JobDetail, options: SummaryOptions): string[] {
  const vm = shellQuote(job.libvirt_domain ?? options.domain?.name ?? job.vm_name);
  const steps = [
    ...(job.libvirt_domain === null ? undefinedSteps(job, vm, options) : definedSteps(job, vm)),
    ['View logs:', `   hyperctl logs --job ${job.job_id}`],
    ...goBack(job, vm),
  ];
  return ['Next steps:', ...steps.flatMap(([title = '', ...lines], index) => ['', `${index + 1}. ${title}`, ...lines])];
}

/** Each a title and its lines. */
type Step = readonly string[];

const undefinedSteps = (job: JobDetail, vm: string, options: SummaryOptions): Step[] => [
  [
    'Import to libvirt:',
    `   hyperctl import --job ${job.job_id}`,
    '   or, on the machine that has the files:',
    `   virsh define ${shellQuote(job.domain_xml ?? 'domain.xml')}`,
    `   virsh start ${vm}`,
  ],
  ['Or manually:', ...manual(job, options)],
];

/** Another definition of the same machine would be refused, so nothing is said of one. */
const definedSteps = (job: JobDetail, vm: string): Step[] =>
  job.import?.report?.started === true
    ? [['It runs in libvirt. See its console:', `   virsh ${uri(job)}console ${vm}`]]
    : [
        ['It is defined in libvirt. Start it:', `   virsh ${uri(job)}start ${vm}`],
        ['See its console:', `   virsh ${uri(job)}console ${vm}`],
      ];

function manual(job: JobDetail, { domain: facts }: SummaryOptions): string[] {
  const lines = virtInstall(job, facts);
  if (lines === undefined) return ['   not by virt-install, which takes no file of such a name'];
  return lines.map((line, index) => {
    const indent = index === 0 ? '   ' : '     ';
    return `${indent}${line}${index === lines.length - 1 ? '' : ' \\'}`;
  });
}

const uri = ({ import: imported }: JobDetail): string =>
  imported?.report == null ? '' : `--connect ${shellQuote(imported.report.libvirt_uri)} `;

/** The source is off, so the way back is open; two running copies of one guest would be the end of it. */
const goBack = (job: JobDetail, domain: string): Step[] =>
  job.source_power === 'keep'
    ? []
    : [
        [
          'The source VM is off and unchanged. To go back:',
          `   virsh ${uri(job)}shutdown ${domain}`,
          `   then power ${printable(job.vm_name)} on in vCenter.`,
          '   Never run both: they are one machine, with the same addresses.',
        ],
      ];

function failure(job: JobDetail, options: SummaryOptions, paint: Paint): string[] {
  const { failure: reason } = job;
  return [
    row('Job ID', job.job_id),
    row('Source VM', printable(job.vm_name)),
    row('Phase', job.phase),
    ...(reason?.step === undefined ? [] : [row('Step', reason.step)]),
    ...prose('Error', paint('red', printable(reason?.message ?? job.error ?? 'unknown')), options),
    ...(reason === null ? [] : [row('Code', reason.code)]),
    ...(reason === null || reason.advice === ''
      ? []
      : prose('Try', reason.advice.replaceAll('<id>', job.job_id), options)),
    ...(job.error_file === null ? [] : [row('Details', job.error_file)]),
    ...(job.trace_id === null ? [] : [row('Trace', job.trace_id)]),
    row('Logs', `hyperctl logs --job ${job.job_id}`),
  ];
}
