/** What a Windows is, from its registry. Deeper looks are virt-v2v's. */
import type { Appliance } from '../appliance.js';
import type { GuestFacts } from '../facts.js';

type WindowsFacts = Pick<GuestFacts, 'type' | 'distro' | 'product' | 'version' | 'arch' | 'packageFormat' | 'init'>;

const SOFTWARE = '/Windows/System32/config/SOFTWARE';
const CURRENT_VERSION = ['Microsoft', 'Windows NT', 'CurrentVersion'];

/** With its volume mounted. */
export async function windowsFacts(appliance: Appliance): Promise<WindowsFacts> {
  const values = await currentVersion(appliance);
  const [major, minor] = (values.get('CurrentVersion') ?? '').split('.').map(Number);
  const build = Number(values.get('CurrentBuildNumber') ?? values.get('CurrentBuild') ?? 0);
  // Since Windows 10 the text stays at 6.3.
  const version = build >= 10_240 ? { major: 10, minor: 0 } : { major: major || 0, minor: minor || 0 };
  return {
    type: 'windows',
    distro: 'windows',
    product: productName(values.get('ProductName'), build),
    version,
    arch: await windowsArch(appliance),
    packageFormat: 'unknown',
    init: 'unknown',
  };
}

/** Windows 11 still calls itself 10 there. */
export function productName(told: string | undefined, build: number): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const name = (told ?? 'Windows').replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, ' ').slice(0, 200);
  return build >= 22_000 ? name.replace(/^Windows 10\b/, 'Windows 11') : name;
}

async function currentVersion(appliance: Appliance): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const file = (await appliance.attempt(['case-sensitive-path', SOFTWARE])).trim();
  if (file === '' || !(await appliance.isFile(file))) return values;
  await appliance.attempt(['hivex-open', file]);
  let node = (await appliance.attempt(['hivex-root'])).trim();
  for (const name of CURRENT_VERSION) {
    if (!isHandle(node)) break;
    node = (await appliance.attempt(['hivex-node-get-child', node, name])).trim();
  }
  for (const name of ['ProductName', 'CurrentVersion', 'CurrentBuildNumber', 'CurrentBuild']) {
    const value = isHandle(node) ? (await appliance.attempt(['hivex-node-get-value', node, name])).trim() : '';
    if (isHandle(value)) values.set(name, (await appliance.attempt(['hivex-value-string', value])).trim());
  }
  await appliance.attempt(['hivex-close']);
  return values;
}

/** 0 stands for "there is none". */
const isHandle = (text: string): boolean => /^\d+$/.test(text) && text !== '0';

async function windowsArch(appliance: Appliance): Promise<string> {
  const program = (await appliance.attempt(['case-sensitive-path', '/Windows/System32/cmd.exe'])).trim();
  if (program === '' || !(await appliance.isFile(program))) return 'unknown';
  const arch = (await appliance.attempt(['file-architecture', program])).trim();
  return /^[\w.-]{1,32}$/.test(arch) ? arch : 'unknown';
}
