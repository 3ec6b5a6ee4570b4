import { isPlain } from '../../guest/index.js';
import type { Change } from '../step.js';

/** /etc/selinux/config: SELINUX=enforcing|permissive|disabled, SELINUXTYPE names the folder of the policy. */
export function planSelinux(config: string): { active: boolean; policy: string } {
  const value = (key: string): string | undefined => new RegExp(`^\\s*${key}=\\s*(\\w+)\\s*$`, 'm').exec(config)?.[1];
  const mode = value('SELINUX')?.toLowerCase();
  return { active: mode === 'enforcing' || mode === 'permissive', policy: value('SELINUXTYPE') ?? 'targeted' };
}

/** Files of the changes so far; the ESP takes no labels. */
export function labelTargets(changes: readonly Change[]): string[] {
  const files = changes.map(({ file }) => file).filter((file) => file.startsWith('/') && isPlain(file));
  return [...new Set(files)].filter((file) => !/^\/(?:boot\/efi|efi)\//.test(file));
}
