/** A process of its own for one conversion, once: argv[2] is the job. Prints what it took. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { convert } from '@hyper2kvm/converter';
import { execa } from 'execa';
import { JOB_ID, workplace } from '../../integration/convert-job.js';
import { libguestfsEnv } from '../../support/kvm.js';
import type { ConvertJob, Done } from './job.js';

const ignore = (): void => {};

async function ours({ folder }: ConvertJob): Promise<Done> {
  const place = workplace(folder);
  const started: { step: string; at: number }[] = [];
  const from = performance.now();
  const { files } = await convert(
    {
      vm_name: 'production-db',
      artifact_dir: place.artifactDir,
      requested_at: new Date().toISOString(),
      options: {
        fix_fstab: true,
        fix_grub: true,
        fix_network: true,
        to_libvirt: false,
        verify_boot: false,
        proof_timeout_seconds: 600,
      },
    },
    place.settings,
    {
      jobId: JOB_ID,
      attempt: 1,
      epoch: 1,
      signal: new AbortController().signal,
      assertOwner: async () => ignore(),
      log: ignore,
      progress: ({ step }) => {
        if (step !== undefined && started.at(-1)?.step !== step) started.push({ step, at: performance.now() });
      },
    },
  );
  const end = performance.now();
  const steps = started.map(({ step, at }, index) => [step, ((started[index + 1]?.at ?? end) - at) / 1000] as const);
  return { wallSeconds: (end - from) / 1000, output: files[0] ?? '', steps: Object.fromEntries(steps) };
}

async function virtV2v({ image, folder }: ConvertJob): Promise<Done> {
  const env = { ...(await libguestfsEnv()), TMPDIR: folder };
  const from = performance.now();
  const { stdout } = await execa('virt-v2v', ['-i', 'disk', image, '-o', 'local', '-os', folder, '-of', 'qcow2'], {
    env,
    stdin: 'ignore',
  });
  const [disk] = (await readdir(folder)).filter((name) => name.endsWith('-sda'));
  if (disk === undefined) throw new Error(`virt-v2v left no disk: ${stdout.slice(-500)}`);
  const output = path.join(folder, disk);
  // Ours is on the disk when it ends.
  await execa('sync', ['-d', output]);
  return { wallSeconds: (performance.now() - from) / 1000, output, steps: stages(stdout) };
}

/** `[  10.3] Inspecting the source` */
function stages(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^\[\s*([\d.]+)\] (.*)$/gm)].map((match) => ({
    at: Number(match[1]),
    what: match[2] ?? '',
  }));
  const steps = lines.flatMap(({ at, what }, index) => {
    const next = lines[index + 1];
    return next === undefined ? [] : [[what, Math.round((next.at - at) * 10) / 10] as const];
  });
  return Object.fromEntries(steps);
}

try {
  const job = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as ConvertJob;
  const done = job.way === 'ours' ? await ours(job) : await virtV2v(job);
  process.stdout.write(`${JSON.stringify(done)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
