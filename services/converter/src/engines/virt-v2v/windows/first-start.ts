import { access } from 'node:fs/promises';
import path from 'node:path';

/** Where virt-v2v takes its tools for Windows from, unless its own variable says otherwise. */
const DEFAULT_FOLDER = '/usr/share/virt-tools';
/** Either runs scripts as a service at the first start. */
const SERVICES = ['rhsrvany.exe', 'pvvxsvc.exe'];

export const toolsFolder = (): string => process.env.VIRT_TOOLS_DATA_DIR ?? DEFAULT_FOLDER;

/** Whether virt-v2v can have scripts run at Windows's first start. */
export async function canRunScripts(): Promise<boolean> {
  for (const name of SERVICES) {
    const there = await access(path.join(toolsFolder(), name)).then(
      () => true,
      () => false,
    );
    if (there) return true;
  }
  return false;
}

/** What is missing, and where it comes from. */
export const missingService = (): string =>
  `rhsrvany.exe is not in ${toolsFolder()} (VIRT_TOOLS_DATA_DIR); take it from Fedora's package mingw32-srvany-redistributable`;
