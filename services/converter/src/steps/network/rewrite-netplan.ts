import type { Hardware, Rewritten } from './hardware.js';
import { isMac } from './mentions.js';
import { scanYaml, type YamlScalar } from './yaml-scan.js';

/** netplan: `match: {driver: vmxnet3}` becomes virtio's driver, or the address of the one card that had it. */
export function rewriteNetplan(text: string, hardware: Hardware): Rewritten {
  const edits: string[] = [];
  const unresolved: string[] = [];
  const { scalars } = scanYaml(text);
  let after = '';
  let copied = 0;
  for (const scalar of scalars) {
    const [top, section, id, key, detail] = scalar.path;
    if (top !== 'network' || section !== 'ethernets' || key !== 'match') continue;
    const same = (each: YamlScalar): boolean => each.path[2] === id && each.path[3] === 'match';
    const hasMac = scalars.some((each) => same(each) && each.path[4] === 'macaddress');
    const by = detail === 'driver' ? driver(scalar, hasMac) : detail === 'macaddress' ? address(scalar) : undefined;
    if (by === undefined) continue;
    after += text.slice(copied, by.start) + by.text;
    copied = scalar.end;
    edits.push(`${id}: ${text.slice(by.start, scalar.end)} → ${by.text}`);
  }
  return { text: after + text.slice(copied), edits, unresolved };

  function driver(scalar: YamlScalar, hasMac: boolean): { start: number; text: string } | undefined {
    const meant = hardware.driver(scalar.value);
    if (meant === undefined || meant === false) return undefined;
    if (meant === 'virtio_net' || hasMac) return { start: scalar.start, text: 'virtio_net' };
    const [mac] = meant;
    if (meant.length === 1 && scalar.keyStart !== undefined)
      return { start: scalar.keyStart, text: `macaddress: "${mac}"` };
    unresolved.push(`match: driver: ${scalar.value}`);
    return undefined;
  }

  function address(scalar: YamlScalar): { start: number; text: string } | undefined {
    const mac = isMac(scalar.value) ? hardware.newMac(scalar.value) : undefined;
    return mac === undefined ? undefined : { start: scalar.start, text: `"${mac}"` };
  }
}
