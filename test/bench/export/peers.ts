/** What others do: the stream into a file, then qemu-img convert. */
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  assignDisks,
  completeLease,
  createSnapshot,
  describe,
  removeSnapshot,
  requestLease,
  VcenterSessions,
  waitUntilReady,
} from '@hyper2kvm/exporter';
import { execa } from 'execa';
import type { BenchJob, Done } from './job.js';

/** One after another, or all at once. */
async function each<T, R>(sideBySide: boolean, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  if (sideBySide) return Promise.all(items.map(work));
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

async function convert(vmdk: string): Promise<string> {
  const image = vmdk.replace(/\.vmdk$/, '.qcow2');
  await execa('qemu-img', ['convert', '-f', 'vmdk', '-O', 'qcow2', vmdk, image]);
  return image;
}

/** Ours is on the disk when it ends; so theirs has to be. The files in between need not. */
async function sync(images: string[]): Promise<Done> {
  const from = performance.now();
  await execa('sync', ['-d', ...images]);
  return { images, syncSeconds: (performance.now() - from) / 1000 };
}

/** The conversation with vCenter is ours, and its processor time is not counted. */
export async function runCurl({ vcenter, vmName, folder }: BenchJob, sideBySide: boolean): Promise<Done> {
  await mkdir(folder, { recursive: true });
  const sessions = new VcenterSessions();
  const { host: server, username, password, thumbprint } = vcenter;
  const session = await sessions.acquire({
    server,
    username,
    password,
    trust: { fingerprints: [thumbprint], insecure: false },
  });
  const { vm, disks } = await describe(session, { vmName });
  const snapshot = await createSnapshot(session, vm, { name: 'peer', description: '', quiesce: false });
  const lease = await waitUntilReady(session, await requestLease(session, snapshot));
  const offered = assignDisks(disks, lease.disks);
  const images = await each(sideBySide, disks, async ({ index }) => {
    const vmdk = path.join(folder, `disk${index}.vmdk`);
    const url = offered.get(index)?.url ?? '';
    await execa('curl', ['--silent', '--show-error', '--fail', '--cacert', vcenter.certificateFile, '-o', vmdk, url]);
    return convert(vmdk);
  });
  await completeLease(session, lease.ref);
  await removeSnapshot(session, snapshot);
  await session.close();
  await sessions.closeAll();
  return sync(images);
}

/** govc takes the disks one after another; the conversions may go side by side. */
export async function runGovc({ vcenter, vmName, disks, folder, govc }: BenchJob, sideBySide: boolean): Promise<Done> {
  await mkdir(folder, { recursive: true });
  const env = {
    GOVC_URL: vcenter.url,
    GOVC_USERNAME: vcenter.username,
    GOVC_PASSWORD: vcenter.password,
    GOVC_TLS_CA_CERTS: vcenter.certificateFile,
    GOVC_PERSIST_SESSION: 'false',
    GOVC_VM: vmName,
  };
  await execa(govc, ['snapshot.create', '-m=false', 'peer'], { env });
  await exportOvf(govc, folder, env);
  await execa(govc, ['snapshot.remove', 'peer'], { env });
  const exported = path.join(folder, vmName);
  const vmdks = (await readdir(exported)).filter((name) => name.endsWith('.vmdk')).toSorted(byNumber);
  if (vmdks.length !== disks.length) throw new Error(`govc brought ${vmdks.join(', ')}`);
  return sync(await each(sideBySide, vmdks, async (name) => convert(path.join(exported, name))));
}

/** The simulator writes no OVF descriptor, which govc asks for at the very end, when all disks are there and the lease is over. */
async function exportOvf(govc: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { exitCode, stderr } = await execa(govc, ['export.ovf', '-snapshot', 'peer', folder], { env, reject: false });
  if (exitCode !== 0 && !stderr.includes('does not implement: CreateDescriptor')) throw new Error(stderr);
}

/** The names end in the disk's number, which the first one lacks. */
const byNumber = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

export async function runQemuImg({ disks: [disk], folder }: BenchJob): Promise<Done> {
  if (disk === undefined) throw new Error('a disk is needed');
  await mkdir(folder, { recursive: true });
  const image = path.join(folder, 'disk1.qcow2');
  await execa('qemu-img', ['convert', '-f', 'vmdk', '-O', 'qcow2', disk.vmdk, image]);
  return sync([image]);
}
