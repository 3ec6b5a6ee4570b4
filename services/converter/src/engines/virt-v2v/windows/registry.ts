import type { Appliance } from '../../../guest/index.js';
import { findFile } from './files.js';
import type { WindowsRelease } from './release.js';

type Asks = Pick<Appliance, 'attempt'>;

const HIVE = '/windows/system32/config/software';
const CURRENT_VERSION = ['Microsoft', 'Windows NT', 'CurrentVersion'];

/**
 * The release by the guest's own registry: its build number, and whether it is a server. Undefined where the registry does
 * not tell.
 */
export async function readRelease(
  appliance: Asks & Pick<Appliance, 'isFile'>,
  arch: string,
): Promise<WindowsRelease | undefined> {
  const hive = await findFile(appliance, HIVE);
  if (hive === undefined) return undefined;
  await appliance.attempt(['hivex-open', hive]);
  try {
    const node = await keyOf(appliance, CURRENT_VERSION);
    if (node === undefined) return undefined;
    const build =
      Number(await text(appliance, node, 'CurrentBuild')) || Number(await text(appliance, node, 'CurrentBuildNumber'));
    const installation = await text(appliance, node, 'InstallationType');
    const product = await text(appliance, node, 'ProductName');
    if (!Number.isInteger(build) || build <= 0) return undefined;
    // Before Vista there is no InstallationType.
    const server = installation === '' ? /server/i.test(product) : installation !== 'Client';
    return { build, server, arch };
  } finally {
    await appliance.attempt(['hivex-close']);
  }
}

async function keyOf(appliance: Asks, path: readonly string[]): Promise<string | undefined> {
  let node = (await appliance.attempt(['hivex-root'])).trim();
  for (const name of path) {
    if (!isHandle(node)) return undefined;
    node = (await appliance.attempt(['hivex-node-get-child', node, name])).trim();
  }
  return isHandle(node) ? node : undefined;
}

async function text(appliance: Asks, node: string, name: string): Promise<string> {
  const value = (await appliance.attempt(['hivex-node-get-value', node, name])).trim();
  return isHandle(value) ? (await appliance.attempt(['hivex-value-string', value])).trim() : '';
}

/** 0 is "no such key". */
const isHandle = (text: string): boolean => /^[1-9]\d*$/.test(text);
