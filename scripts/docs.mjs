#!/usr/bin/env node
// Writes docs/reference from what was built: the commands from hyperctl's own metadata, the API from the gateway's OpenAPI
// document. Build before: npm run build.
//
//   npm run docs               writes what changed
//   npm run docs -- --check    only says what is not up to date, and ends with 1
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { apiReference } from './docs/api.mjs';
import { commandReference } from './docs/commands.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PAGES = { 'commands.md': commandReference, 'api.md': apiReference };
const NOTE = '<!-- Written by "npm run docs". Do not change it by hand. -->\n\n';

const isCheck = process.argv.includes('--check');
const stale = [];
for (const [name, write] of Object.entries(PAGES)) {
  const file = path.join(ROOT, 'docs/reference', name);
  const style = await resolveConfig(file);
  const text = await format(NOTE + (await write(ROOT)), { ...style, filepath: file });
  if (text === read(file)) continue;
  stale.push(`docs/reference/${name}`);
  if (isCheck) continue;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
if (stale.length > 0)
  console.log(`docs: ${isCheck ? 'not up to date, run "npm run docs":' : 'written:'} ${stale.join(', ')}`);
else console.log('docs: up to date');
process.exit(isCheck && stale.length > 0 ? 1 : 0);

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
