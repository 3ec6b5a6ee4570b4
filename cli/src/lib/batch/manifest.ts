import path from 'node:path';
import { BatchRequest, BatchVm, BatchWave } from '@hyper2kvm/contracts';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { BatchBody } from '../batches-api.js';
import { UsageError } from '../errors.js';
import { keyOfFile, warningOf } from '../luks-keys.js';
import { pathWord, spotOf, type Path } from './lines.js';

/** The object form alone: what was wrong in it is told, not that it is no text. */
const Vm = BatchVm.options[1];
const Vms = z.array(Vm).min(1).max(10_000);
const Manifest = BatchRequest.extend({
  vms: Vms.optional(),
  waves: z
    .array(BatchWave.extend({ vms: Vms }))
    .min(1)
    .max(256)
    .optional(),
});

const MOST_TOLD = 10;
const MEND = 'mend the line; the section "Many VMs" of docs/user-guide.md shows a manifest';

interface Problem {
  readonly path: Path;
  readonly message: string;
}

export interface ManifestSource {
  readonly text: string;
  /** As it is told of: the file's name. */
  readonly shown: string;
  /** What `key_file` is relative to. */
  readonly folder: string;
  /** Throws where others may read the file: secrets may stand in it only if they may not. */
  readonly refuseSecrets: (what: string) => void;
  /** Hears what the user should know about files with keys. */
  readonly warn: (text: string) => void;
}

/**
 * A plan in YAML (or JSON): the keys of POST /api/v1/batches; a VM is a name, or `{vm: …, options: …}`.
 * @throws UsageError with the line and the path of what is wrong
 */
export function parseManifest({ text, shown, folder, refuseSecrets, warn }: ManifestSource): BatchBody {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const [what = ''] = broken.message.split(/ at line \d+|\n/);
    const [at] = broken.linePos ?? [];
    throw new UsageError(`${shown}:${at?.line ?? 1}:${at?.col ?? 1}: not valid YAML: ${what.replace(/:$/, '')}`, MEND);
  }
  const fail = (problems: readonly Problem[]): never => {
    const told = problems.slice(0, MOST_TOLD).map(({ path: at, message }) => {
      const where = at.length === 0 ? '' : `${pathWord(at)}: `;
      return `${shown}:${spotOf(document, lines, at)}: ${where}${message}`;
    });
    const more = problems.length > MOST_TOLD ? [`and ${problems.length - MOST_TOLD} more`] : [];
    throw new UsageError([...told, ...more].join('\n  '), MEND);
  };
  const tree: unknown = document.toJS({ maxAliasCount: 1000 });
  if (!isObject(tree)) return fail([{ path: [], message: 'it is no mapping with vms or waves' }]);
  const problems: Problem[] = [];
  const plan = withVms(tree, (vm, at) => normalVm(vm, at, { folder, refuseSecrets, warn, problems }));
  if (isObject(plan['vcenter']) && plan['vcenter']['password'] !== undefined) refuseSecrets('vcenter.password');
  if (problems.length > 0) return fail(problems);
  const parsed = Manifest.safeParse(plan);
  if (!parsed.success) return fail(parsed.error.issues.flatMap((issue) => issueProblems(issue, [])));
  const lost = lostKeys(plan, parsed.data, []);
  if (lost.length > 0) return fail(lost.map((at) => ({ path: at, message: 'there is no such key' })));
  if ((parsed.data.vms === undefined) === (parsed.data.waves === undefined))
    return fail([{ path: [], message: 'give either vms or waves' }]);
  const twice = duplicates(parsed.data);
  if (twice.length > 0) return fail(twice);
  // As it was written: what has a default is left to the gateway.
  return plan;
}

type Tree = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The plan with each of its VMs changed. */
function withVms(tree: Tree, change: (vm: unknown, at: Path) => unknown): Tree {
  const list = (vms: unknown, at: Path): unknown =>
    Array.isArray(vms) ? vms.map((vm: unknown, index) => change(vm, [...at, index])) : vms;
  const waves = tree['waves'];
  return {
    ...tree,
    ...('vms' in tree ? { vms: list(tree['vms'], ['vms']) } : {}),
    ...(Array.isArray(waves)
      ? {
          waves: waves.map((wave: unknown, index) =>
            isObject(wave) ? { ...wave, vms: list(wave['vms'], ['waves', index, 'vms']) } : wave,
          ),
        }
      : {}),
  };
}

interface Reading {
  readonly folder: string;
  readonly refuseSecrets: (what: string) => void;
  readonly warn: (text: string) => void;
  readonly problems: Problem[];
}

/** `web-01` is `{vm_name: web-01}`, and so is `{vm: web-01}`; key files are read. */
function normalVm(vm: unknown, at: Path, { folder, refuseSecrets, warn, problems }: Reading): unknown {
  if (typeof vm === 'string') return { vm_name: vm };
  if (!isObject(vm)) {
    problems.push({ path: at, message: 'a VM is a name (quote one made of digits), or {vm: …, options: …}' });
    return vm;
  }
  const { vm: name, ...rest } = vm;
  if (isObject(rest['vcenter']) && rest['vcenter']['password'] !== undefined)
    refuseSecrets(`${pathWord(at)}.vcenter.password`);
  const keys = rest['luks_keys'];
  return {
    ...('vm' in vm ? { vm_name: name } : {}),
    ...rest,
    ...(Array.isArray(keys)
      ? {
          luks_keys: keys.map((key: unknown) => {
            if (!isObject(key)) return key;
            if (key['key_base64'] !== undefined) refuseSecrets(`${pathWord(at)}.luks_keys`);
            const { key_file: file, ...others } = key;
            if (typeof file !== 'string') return key;
            const named = path.resolve(folder, file);
            const key_base64 = keyOfFile(named, `${pathWord(at)}.luks_keys`);
            const warning = warningOf(named);
            if (warning !== undefined) warn(warning);
            return { ...others, key_base64 };
          }),
        }
      : {}),
  };
}

/** How many keys a form would need that are not there. */
const missing = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.filter((one) => one.code === 'invalid_type' && one.message.includes('received undefined')).length;

/** An issue in words; of several forms that something may have, the one that was meant. */
function issueProblems(issue: z.core.$ZodIssue, before: Path): Problem[] {
  const at = [...before, ...issue.path.map((key) => (typeof key === 'number' ? key : String(key)))];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...at, key], message: 'there is no such key' }));
  if (issue.code === 'invalid_union') {
    const [meant] = issue.errors.toSorted((a, b) => missing(a) - missing(b) || a.length - b.length);
    if (meant !== undefined) return meant.flatMap((one) => issueProblems(one, at));
  }
  const aliased = at.at(-1) === 'vm_name' ? at.slice(0, -1) : at;
  const words = issue.message.replace(/^Invalid input: expected \w+, received undefined$/, 'is missing');
  const message = aliased === at ? words : words === 'is missing' ? 'vm is missing' : `vm: ${words}`;
  return [{ path: aliased, message }];
}

/** Keys that a schema dropped: a typo in a hook must not go unseen. */
function lostKeys(given: unknown, kept: unknown, at: Path): Path[] {
  if (Array.isArray(given))
    return given.flatMap((item: unknown, index) =>
      lostKeys(item, Array.isArray(kept) ? kept[index] : undefined, [...at, index]),
    );
  if (!isObject(given) || !isObject(kept)) return [];
  return Object.entries(given).flatMap(([key, value]) =>
    key in kept ? lostKeys(value, kept[key], [...at, key]) : value === undefined ? [] : [[...at, key]],
  );
}

/** VMs of a vCenter that are named twice; the second would be refused in the middle of the night. */
function duplicates(plan: z.infer<typeof Manifest>): Problem[] {
  const seen = new Map<string, Path>();
  const found: Problem[] = [];
  const look = (vms: readonly z.infer<typeof Vm>[], at: Path): void => {
    for (const [index, vm] of vms.entries()) {
      if (vm.source !== undefined) continue;
      const key = JSON.stringify([vm.vcenter?.server, vm.vcenter?.datacenter, vm.vm_name]);
      const place = [...at, index];
      const first = seen.get(key);
      if (first === undefined) seen.set(key, place);
      else found.push({ path: place, message: `${vm.vm_name} is ${pathWord(first)} already` });
    }
  };
  look(plan.vms ?? [], ['vms']);
  for (const [index, wave] of (plan.waves ?? []).entries()) look(wave.vms, ['waves', index, 'vms']);
  return found;
}
