import { tellText } from '@hyper2kvm/runtime';
import type { Appliance } from '../../guest/index.js';
import type { Step, StepContext } from '../step.js';
import { installedFiles, START_FILES } from './locations.js';
import { PACKAGE_MANAGERS, type PackageManager } from './managers.js';

const LOCATIONS = '/etc/vmware-tools/locations';
/** Removing a package without KVM takes some 10 s. */
const REMOVE_LIMIT_MS = 300_000;

/** VMware Tools and open-vm-tools go: they serve nothing on KVM, and their services fail there. */
export const vmwareToolsStep: Step = {
  name: 'vmware-tools',
  async run(context) {
    const { appliance, options, log } = context;
    if (options.keep_vmware_tools === true) return log('vmware-tools: left alone, as asked');
    const found = await manager(appliance);
    const removed = [...(await removePackages(context, found)), ...(await removeInstalled(context, found))];
    if (removed.length === 0) log('vmware-tools: there are none');
  },
};

async function manager(appliance: Appliance): Promise<PackageManager | undefined> {
  for (const each of PACKAGE_MANAGERS) if (await appliance.isFile(each.program)) return each;
  return undefined;
}

/** By the package manager; what it refuses to remove stays, and is told. */
async function removePackages(
  { appliance, dryRun, log, change, concern }: StepContext,
  found: PackageManager | undefined,
): Promise<string[]> {
  const packages = (await found?.tools(appliance)) ?? [];
  if (found === undefined || packages.length === 0) return [];
  const names = packages.join(', ');
  if (dryRun) {
    change('', `${names} would be removed with ${found.name}`);
    return packages;
  }
  log(`vmware-tools: removing ${names} with ${found.name}`);
  tellText(found.name, await appliance.tryCommand(found.remove(packages), REMOVE_LIMIT_MS));
  const left = await found.tools(appliance);
  if (left.length > 0) concern('TOOLS_LEFT', `vmware-tools: ${found.name} did not remove ${left.join(', ')}`);
  const gone = packages.filter((each) => !left.includes(each));
  if (gone.length > 0) change('', `${gone.join(', ')} removed with ${found.name}`);
  return packages;
}

/** What VMware's tar installer put there, file by file: its own uninstaller would want a system that runs. */
async function removeInstalled(
  { appliance, dryRun, log, change, concern }: StepContext,
  found: PackageManager | undefined,
): Promise<string[]> {
  const text = await appliance.readText(LOCATIONS);
  if (text === undefined && found !== undefined) return [];
  const listed = installedFiles(text ?? '');
  const starters = await existing(appliance, START_FILES);
  const files = [...new Set([...listed.files, ...starters])];
  if (files.length === 0) return [];
  if (dryRun) {
    change(LOCATIONS, `${files.length} files of VMware's installer would be removed`);
    return files;
  }
  for (const file of files) await appliance.attempt(['rm-f', file]);
  await appliance.attempt(['rm-f', LOCATIONS]);
  for (const folder of listed.folders) await appliance.attempt(['rmdir', folder]);
  const left = await existing(appliance, starters);
  if (left.length > 0) concern('TOOLS_LEFT', `vmware-tools: ${left.join(', ')} could not be removed`);
  log(`vmware-tools: ${files.length} files of VMware's installer removed`);
  change(LOCATIONS, `${files.length} files of VMware's installer removed`);
  return files;
}

async function existing(appliance: Appliance, files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) if (await appliance.exists(file)) found.push(file);
  return found;
}
