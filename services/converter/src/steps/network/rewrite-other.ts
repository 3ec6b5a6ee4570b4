import { isVmwareDriver, type Hardware, type Rewritten } from './hardware.js';

/** NetworkManager.conf(5): `match-device=driver:vmxnet3`, `unmanaged-devices=…`. */
export function rewriteManager(text: string, hardware: Hardware): Rewritten {
  return words(text, /^[ \t]*(?:match-device|unmanaged-devices|no-auto-default)[ \t]*=.*$/gm, (line) =>
    line.replace(/\bdriver:([\w-]+)/g, (whole, name: string) =>
      Array.isArray(hardware.driver(name)) || hardware.driver(name) === 'virtio_net' ? 'driver:virtio_net' : whole,
    ),
  );
}

/** modprobe.d(5) and /etc/modprobe.conf of older guests: `alias eth0 vmxnet3`. */
export function rewriteAliases(text: string): Rewritten {
  return words(text, /^[ \t]*alias[ \t]+\S+[ \t]+[\w-]+[ \t]*$/gm, (line) =>
    line.replace(/^([ \t]*alias[ \t]+(?:eth|en)\w*[ \t]+)([\w-]+)/, (whole, head: string, driver: string) =>
      isVmwareDriver(driver) ? `${head}virtio_net` : whole,
    ),
  );
}

function words(text: string, lines: RegExp, change: (line: string) => string): Rewritten {
  const edits: string[] = [];
  const after = text.replace(lines, (line) => {
    const changed = change(line);
    if (changed !== line) edits.push(`${line.trim()} → ${changed.trim()}`);
    return changed;
  });
  return { text: after, edits, unresolved: [] };
}
