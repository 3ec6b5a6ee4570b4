/** Starts the simulated vCenter of test/support/vcsim, which `node scripts/setup.mjs` builds. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

export interface VcsimDisk {
  /** Base name on the datastore; default `<vm>.vmdk`, `<vm>_1.vmdk`, … */
  name?: string;
  capacity_bytes: number;
  /** A streamOptimized VMDK: what an NFC lease serves. Linked, so it must stay while the simulator runs. */
  vmdk?: string;
  /** A raw image: what /folder serves as the disk's `-flat.vmdk`. */
  flat?: string;
  /** What vCenter tells that it takes up; default: the blocks of the flat image. */
  used_bytes?: number;
  mode?: 'persistent' | 'independent_persistent' | 'independent_nonpersistent';
  rdm?: 'physicalMode' | 'virtualMode';
  sharing?: 'sharingMultiWriter';
  /** The key that it is encrypted with. */
  key_id?: string;
  /** Base name of the disk that it is a delta of. */
  parent?: string;
  /** seSparse rather than flat. */
  sparse?: boolean;
}

/** A VM as test/support/vcsim/machine.go reads it. */
export interface VcsimVm {
  name: string;
  /** DC0 (the default), DC1, …; as many are made as the VMs need. */
  datacenter?: string;
  /** Beneath the datacenter's VM folder: `web/old`. */
  folder?: string;
  uuid?: string;
  instance_uuid?: string;
  /** Default 2. */
  cpus?: number;
  /** MiB, default 2048. */
  memory_mb?: number;
  firmware?: 'bios' | 'efi';
  /** Default debian12_64Guest. */
  guest_id?: string;
  /** Default poweredOff. */
  power_state?: 'poweredOn' | 'poweredOff';
  template?: boolean;
  /** What the VM's tools do; default: they are not installed. */
  tools?: 'running' | 'notRunning' | 'notInstalled';
  /** Whether the guest obeys a shutdown, which needs running tools. Default: it works. */
  guest_shutdown?: 'works' | 'ignored';
  tpm?: boolean;
  /** `category:tag` */
  tags?: string[];
  annotation?: string;
  controller?: 'pvscsi' | 'lsilogic' | 'lsilogic-sas' | 'buslogic';
  nics?: { mac: string; pci_slot?: number; network?: string; type?: 'vmxnet3' | 'e1000' | 'e1000e' }[];
  disks: VcsimDisk[];
}

export interface VcsimState {
  /** Snapshots that exist now. */
  snapshots: { vm: string; name: string; ref: string }[];
  /** All leases since the start. */
  leases: { ref: string; vm: string; state: 'ready' | 'completed' | 'aborted' | 'expired' }[];
  /** All paths asked for since the start, `/nfc/<lease>/<disk>.vmdk` or `/folder/<vm>/<disk>-flat.vmdk`; GETs, HEADs, body bytes. */
  downloads: { path: string; requests: number; heads: number; bytes: number }[];
  /** SOAP method → number of calls. The inventory itself was made by one Login. */
  calls: Record<string, number>;
  /** SOAP sessions that are logged in now. */
  sessions: number;
  /** Managed object id of each described VM → its power state. */
  power: Record<string, string>;
  nfc_bytes_per_second: number;
}

/** They hold from the next request or lease on. */
export interface VcsimSettings {
  /** Bytes per second of each download, 0 for no limit. */
  nfc_bytes_per_second?: number;
  folder_bytes_per_second?: number;
  /** /folder asks for a session's cookie or the password, as a vCenter does. Default true. */
  folder_auth?: boolean;
  /** A lease that is not renewed for that long goes to error, and its URLs answer 404. Default 300. */
  lease_timeout_seconds?: number;
  /** Digests of what was sent, as leases offer them; `wrong` ones are of something else. Default: none. */
  manifest?: 'sha1' | 'sha256' | 'wrong' | '';
  /** Time before a login is answered. */
  login_delay_seconds?: number;
  /** Ids of privileges that the account does not hold. Only the question for them minds. */
  denied_privileges?: string[];
}

/** What a test does to the simulated vCenter behind its clients' backs; each part may be left out. */
export interface VcsimChange {
  settings?: VcsimSettings;
  /** Ends all sessions, as a restart does. Leases stay. */
  drop_sessions?: boolean;
  vm?: {
    name: string;
    consolidation_needed?: boolean;
    /** What the VM has written since its newest snapshot. */
    delta_bytes?: number;
    tools?: 'running' | 'notRunning';
    guest_shutdown?: 'works' | 'ignored';
  };
  /** Default LocalDS_0, in all datacenters. */
  datastore?: { name?: string; free_bytes: number };
  /** Removes a datastore's file (`web/web-flat.vmdk`), or puts another in its place. */
  file?: { path: string; datacenter?: string; with?: string };
  /** The next calls (default: one) of a method answer with a fault: TaskInProgress, NoPermission, … */
  fail?: { method: string; fault: string; times?: number };
}

export interface Vcsim {
  /** 127.0.0.1:PORT, as `--vcenter` takes it. */
  host: string;
  /** https://127.0.0.1:PORT/sdk */
  url: string;
  /** SHA-256 of the certificate, aa:bb:… */
  thumbprint: string;
  /** The certificate as PEM: its own CA. */
  certificate: string;
  username: string;
  password: string;
  pid: number;
  control(): Promise<VcsimState>;
  /** Bytes per second of each NFC download from now on, 0 for no limit. */
  setNfcRate(bytesPerSecond: number): Promise<void>;
  change(change: VcsimChange): Promise<VcsimState>;
  stop(): Promise<void>;
}

export interface VcsimOptions {
  vms: VcsimVm[];
  username?: string;
  password?: string;
  /** Bytes per second of each NFC download; unlimited when left out. */
  nfcBytesPerSecond?: number;
  settings?: VcsimSettings;
  /** Default: a free one. */
  port?: number;
  /** That many more VMs like the first one, in 50 folders of DC0, with nothing behind their disks. */
  many?: number;
}

/** @throws Error when the simulator was not built, or refused the inventory (with its words) */
export async function startVcsim(options: VcsimOptions): Promise<Vcsim> {
  const username = options.username ?? 'administrator@vsphere.local';
  const password = options.password ?? 'vcsim-Passw0rd!';
  const folder = await mkdtemp(path.join(tmpdir(), 'hyper2kvm-vcsim-'));
  const args = ['-l', `127.0.0.1:${options.port ?? 0}`, '-username', username, '-dir', folder];
  args.push('-nfc-bytes-per-second', String(options.nfcBytesPerSecond ?? 0));
  if (options.many !== undefined) args.push('-many', String(options.many));
  for (const [index, vm] of options.vms.entries()) {
    const spec = path.join(folder, `vm-${index}.json`);
    await writeFile(spec, JSON.stringify(vm));
    args.push('-vm', spec);
  }
  // Its standard input is a pipe that ends with this process: killed or not, the test takes the simulator along.
  const child = execa(await binary(), args, {
    stdin: 'pipe',
    stderr: 'pipe',
    buffer: { stdout: false },
    env: { VCSIM_PASSWORD: password },
    reject: false,
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await child;
    await rm(folder, { recursive: true, force: true });
  };
  const line = await firstLine(child.stdout);
  if (line === undefined) {
    const { stderr } = await child;
    await stop();
    throw new Error(`the vCenter simulator did not start: ${stderr}`);
  }
  const ready = JSON.parse(line) as { url: string; thumbprint: string; certificate: string; pid: number };
  const control = async (body?: string): Promise<VcsimState> => callControl(ready.url, ready.certificate, body);
  const change = async (wanted: VcsimChange): Promise<VcsimState> => control(JSON.stringify(wanted));
  try {
    if (options.settings !== undefined) await change({ settings: options.settings });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...ready,
    host: new URL(ready.url).host,
    username,
    password,
    control: () => control(),
    setNfcRate: async (bytesPerSecond) => {
      await change({ settings: { nfc_bytes_per_second: bytesPerSecond } });
    },
    change,
    stop,
  };
}

async function binary(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
  const file = path.join(cache, 'hyper2kvm', 'bin', 'hyper2kvm-vcsim');
  await access(file).catch(() => {
    throw new Error(`${file} is missing: run "node scripts/setup.mjs"`);
  });
  return file;
}

async function firstLine(stream: AsyncIterable<unknown>): Promise<string | undefined> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
  }
  return undefined;
}

async function callControl(url: string, ca: string, body: string | undefined): Promise<VcsimState> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request(new URL('/__control', url), { ca, method: body === undefined ? 'GET' : 'POST', agent: false });
    call.on('error', reject);
    call.on('response', (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(received);
        else reject(new Error(`the simulator's control answered ${response.statusCode}: ${received}`));
      });
    });
    call.end(body);
  });
  return JSON.parse(text) as VcsimState;
}
