import { dependsOnHardware, tagOf, type Resolve } from '../devices.js';

export interface ResumePlan {
  readonly text: string;
  readonly edits: readonly string[];
  readonly unresolved: readonly string[];
}

/** /etc/initramfs-tools: `RESUME=/dev/sda2`; `none` and `auto` stay. */
const RESUME = /^([ \t]*RESUME=["']?)(\/dev\/[^\s"'#]+)/gm;
/** Command lines that dracut puts into the initramfs; `#` starts a comment. */
const DRACUT_LINE = /^[ \t]*kernel_cmdline\+?=.*$/gm;
const PARAMETER = /(?<=["'\s=])((resume|root)=)(\/dev\/[^\s"']+)/g;

export function planResume(text: string, resolve: Resolve): ResumePlan {
  return replaced(text, RESUME, resolve, ([, key = '', device = '']) => ({ key, device, hint: { type: 'swap' } }));
}

/** dracut.conf(5): `kernel_cmdline+=" resume=/dev/sda2 "`. */
export function planDracut(text: string, resolve: Resolve): ResumePlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const after = text.replace(DRACUT_LINE, (line) => {
    const plan = replaced(line, PARAMETER, resolve, ([, key = '', parameter, device = '']) => ({
      key,
      device,
      hint: parameter === 'root' ? { mountpoint: '/' } : { type: 'swap' },
    }));
    edits.push(...plan.edits);
    unresolved.push(...plan.unresolved);
    return plan.text;
  });
  return { text: after, edits, unresolved };
}

interface Found {
  readonly key: string;
  readonly device: string;
  readonly hint: { readonly mountpoint?: string; readonly type?: string };
}

function replaced(
  text: string,
  pattern: RegExp,
  resolve: Resolve,
  read: (match: readonly string[]) => Found,
): ResumePlan {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const after = text.replace(pattern, (...match: string[]) => {
    const whole = match[0] ?? '';
    const { key, device, hint } = read(match);
    if (!dependsOnHardware(device)) return whole;
    const to = tagOf(resolve(device, hint));
    if (to === undefined) {
      unresolved.push(whole.trim());
      return whole;
    }
    edits.push(`${whole.trim()} → ${key.trim()}${to}`);
    return `${key}${to}`;
  });
  return { text: after, edits, unresolved };
}
