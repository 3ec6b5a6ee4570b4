#!/usr/bin/env node
// Runs the benches of test/bench, one after another, and prints their figures. They are not part of npm test: a busy machine
// must not make a test fail. Installs first what they compare with, and says so.
//
//   npm run bench                          all of them
//   npm run bench -- NAME ...              only these
//   npm run bench -- NAME --json FILE ...  one, with its options (they are told at the top of its file)
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const run = (args) => spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status;

const SUFFIX = '.bench.ts';
const there = readdirSync(path.join(ROOT, 'test/bench'))
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
const args = process.argv.slice(2);
const firstOption = args.findIndex((arg) => arg.startsWith('-'));
const wanted = firstOption < 0 ? args : args.slice(0, firstOption);
const options = firstOption < 0 ? [] : args.slice(firstOption);
const unknown = wanted.filter((name) => !there.includes(name));
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}; there are ${there.join(', ')}`);
  process.exit(2);
}
if (options.length > 0 && wanted.length !== 1) {
  console.error(`bench: options are for one bench; name it first: npm run bench -- ${there[0]} ${options.join(' ')}`);
  process.exit(2);
}
if (run(['scripts/setup.mjs', '--bench']) !== 0) process.exit(1);
let failed = 0;
for (const name of there.filter((bench) => wanted.length === 0 || wanted.includes(bench))) {
  console.log(`\nbench: ${name}`);
  if (run([`test/dist/bench/${name}.bench.js`, ...options]) !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
