#!/usr/bin/env node
// npm run bench [NAME ...]: runs the benches of test/bench, one after another, and prints their figures. They are not part of
// npm test: a busy machine must not make a test fail.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const run = (args) => spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status;

if (run(['scripts/setup.mjs']) !== 0) process.exit(1);
const there = readdirSync(path.join(ROOT, 'test/bench')).map((file) => file.replace(/\.bench\.ts$/, ''));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !there.includes(name));
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; there are ${there.join(', ')}`);
  process.exit(2);
}
let failed = 0;
for (const name of there.filter((bench) => wanted.length === 0 || wanted.includes(bench))) {
  console.log(`\nbench: ${name}`);
  if (run([`test/dist/bench/${name}.bench.js`]) !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
