import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What the commands' flags are made of. */
const BUILT = ['dist', '../libs/contracts/dist', '../libs/runtime/dist'];

/**
 * In a checkout there is no manifest, which could hide what was built since. To know what commands there are, all of them have to be
 * loaded, which takes four times as long as the rest; so what was found is kept beside them, for as long as nothing was built.
 * @param root of the package
 * @param pjson its package.json
 * @returns options for oclif's Config
 */
export async function checkoutOptions(root, pjson) {
  const stamp = stampOf(root);
  if (stamp === undefined) return { root, pjson };
  const { Plugin } = await import('@oclif/core');
  const file = path.join(root, 'dist', '.commands.json');
  const kept = read(file);
  const plugin = new Plugin({
    root,
    pjson,
    isRoot: true,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  if (kept?.stamp === stamp) {
    plugin._manifest = async () => {
      plugin.commandIDs = Object.keys(kept.manifest.commands);
      return kept.manifest;
    };
    await plugin.load();
  } else {
    try {
      await plugin.load();
    } catch {
      // A command that cannot be loaded: oclif says so, and shows the others.
      return { root, pjson };
    }
    keep(file, { stamp, manifest: plugin.manifest });
  }
  return { root, pjson, plugins: new Map([[plugin.name, plugin]]) };
}

/** Changes with every build, and with each command that comes, goes or changes. Undefined: this is no checkout. */
function stampOf(root) {
  try {
    const commands = path.join(root, 'dist/commands');
    const files = readdirSync(commands, { recursive: true, encoding: 'utf8' }).map((name) => path.join(commands, name));
    const builds = BUILT.map((folder) => path.join(root, folder, '.tsbuildinfo'));
    return [...files.toSorted(), ...builds].map((name) => `${name} ${statSync(name).mtimeMs}`).join('\n');
  } catch {
    return undefined;
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whole or not at all: others may read it just now. A checkout that may not be written is no faster, and no error. */
function keep(file, value) {
  try {
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify(value));
    renameSync(fresh, file);
  } catch {
    // As said.
  }
}
