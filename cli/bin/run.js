#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import * as module from 'node:module';
import { arch, homedir, platform, userInfo } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// No import above but Node's own: an old Node is to read this far and no farther.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`hyperctl needs Node 20.19 or newer; this is ${process.version} (${process.execPath})`);
  process.exit(1);
}

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
// The name is the command's, also in the checkout, whose package is called otherwise.
const pjson = { ...JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')), name: 'hyperctl' };

if (['--version', ...(pjson.oclif.additionalVersionFlags ?? [])].includes(process.argv[2])) {
  // Known without any command: in the checkout all of them would be loaded first.
  console.log(`hyperctl/${pjson.version} ${platform()}-${arch()} node-${process.version}`);
} else {
  // A container's or a service's user may have neither HOME nor an entry in /etc/passwd: as docker does it.
  try {
    homedir();
    userInfo();
  } catch {
    process.env.HOME ??= '/';
    process.env.SHELL ??= '/bin/sh';
  }
  keepCompiled();
  // Was checked above; oclif would load a parser of version ranges for it.
  process.env.OCLIF_DISABLE_ENGINE_WARNING ??= '1';
  const { execute, settings } = await import('@oclif/core');
  // Only what was built runs, also where NODE_ENV says development or test: oclif would look for a TypeScript loader there.
  settings.enableAutoTranspile = false;
  const isPacked = existsSync(path.join(root, 'oclif.manifest.json'));
  const loadOptions = isPacked ? { root, pjson } : await (await import('./checkout.js')).checkoutOptions(root, pjson);
  await execute({ loadOptions });
}

/**
 * What Node compiled is kept where it can (22.1 and newer). In the user's own folder: Node's default is below /tmp, where somebody
 * else could have laid code for root.
 */
function keepCompiled() {
  if (process.env.NODE_COMPILE_CACHE !== undefined || process.env.NODE_DISABLE_COMPILE_CACHE !== undefined) return;
  const base = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  module.enableCompileCache?.(path.join(base, 'hyper2kvm', 'compiled'));
}
