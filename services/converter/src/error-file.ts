import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ERRORS, JobError, jobFolder, type ConversionRequested } from '@hyper2kvm/contracts';
import { redactUrls } from '@hyper2kvm/runtime';
import { safeName } from './names.js';
import { outputRoot } from './output-root.js';
import { targetOf } from './targets/index.js';
import type { ConverterSettings } from './work.js';

type Job = Pick<ConversionRequested, 'job_id' | 'vm_name' | 'artifact_dir' | 'options'>;

/** Of a hostile guest's words, which may be part of a message. */
const MESSAGE_LIMIT = 16 * 1024;

/** `.errors` of the output folder that the job asked for, or of the converter's own where that one is not allowed. */
function errorsFolder({ options }: Job, settings: ConverterSettings): string {
  try {
    return path.join(
      outputRoot(settings, options.output_dir ?? targetOf(settings, options.target).outputDir),
      '.errors',
    );
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    return path.join(settings.outputDir, '.errors');
  }
}

/** `<vm>.error.json`, and with the job where another job's lies there. */
const names = ({ vm_name, job_id }: Job): string[] =>
  [safeName(vm_name), `${safeName(vm_name)}-${job_id}`].map((name) => `${name}.error.json`);

/** Writes down why a conversion failed, for who looks into the output folder. Returns the file. */
export async function writeErrorFile(job: Job, settings: ConverterSettings, error: JobError): Promise<string> {
  const folder = errorsFolder(job, settings);
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const [first = '', second = ''] = names(job).map((name) => path.join(folder, name));
  const owner = await ownerOf(first);
  const file = owner === undefined || owner === job.job_id ? first : second;
  const content = await contentOf(job, settings, error, path.basename(first, '.error.json'));
  const aside = path.join(folder, `.${job.job_id}.new`);
  await rm(aside, { force: true });
  await writeFile(aside, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o640, flag: 'wx' });
  await rename(aside, file);
  return file;
}

/** After a later attempt succeeded nothing is wrong any more. */
export async function removeErrorFile(job: Job, settings: ConverterSettings): Promise<void> {
  const folder = errorsFolder(job, settings);
  for (const name of names(job)) {
    const file = path.join(folder, name);
    if ((await ownerOf(file)) === job.job_id) await rm(file, { force: true });
  }
}

/** The job whose failure lies there; '' for something else, undefined for nothing. */
async function ownerOf(file: string): Promise<string | undefined> {
  try {
    const { job_id } = JSON.parse(await readFile(file, 'utf8')) as { job_id?: unknown };
    return typeof job_id === 'string' ? job_id : '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : '';
  }
}

async function contentOf(
  { job_id, vm_name, artifact_dir }: Job,
  settings: ConverterSettings,
  error: JobError,
  filename: string,
): Promise<object> {
  const message = redactUrls(error.message).slice(0, MESSAGE_LIMIT);
  const evidence = path.join(jobFolder(settings.workDir, job_id), 'evidence');
  return {
    job_id,
    filename,
    error: message,
    phase: 'conversion',
    timestamp: new Date().toISOString(),
    cause: {
      code: error.code,
      message,
      ...(error.step === undefined ? {} : { step: error.step }),
      advice: ERRORS[error.code].advice,
      retryable: error.retryable,
      evidence: error.code === 'PROOF_FAILED' ? await filesIn(evidence) : [],
    },
    vm_name,
    artifact_dir,
  };
}

/** Of the failed boot proof: absolute, none where it is gone. */
async function filesIn(folder: string): Promise<string[]> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) return [];
  return (await readdir(folder)).toSorted().map((name) => path.join(folder, name));
}
