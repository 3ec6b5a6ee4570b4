#!/usr/bin/env node
// npm test: sets up what is missing, then runs the tests of units, integration, commands and the whole, and closes with one line of figures.
//
//   npm test                       all of them
//   npm test -- unit integration   only these
//   npm test -- guests             real guests, built, exported, converted and booted: half an hour without KVM
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const ALL = ['unit', 'integration', 'commands', 'e2e'];
const SUITES = [...ALL, 'guests'];
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const unknown = wanted.filter((suite) => !SUITES.includes(suite));
if (unknown.length > 0) {
  console.error(`test: there is no suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}`);
  process.exit(2);
}

const run = (command, args) =>
  spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
if (run(process.execPath, ['scripts/setup.mjs']) !== 0) process.exit(1);

const figures = { passed: 0, failed: 0, skipped: 0 };
const folder = mkdtempSync(path.join(tmpdir(), 'h2k-test-'));
try {
  // All run side by side, but the end-to-end tests, which have the machine to themselves.
  const chosen = wanted.length === 0 ? ALL : wanted;
  const groups = [['unit', 'integration', 'commands'], ['e2e'], ['guests']].map((group) =>
    group.filter((suite) => chosen.includes(suite)),
  );
  for (const group of groups.filter((suites) => suites.length > 0)) {
    const report = path.join(folder, `${group.join('-')}.json`);
    const projects = group.flatMap((suite) => ['--project', suite]);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const status = run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...projects, ...reporters]);
    let result;
    try {
      result = JSON.parse(readFileSync(report, 'utf8'));
    } catch {
      result = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0 };
    }
    figures.passed += result.numPassedTests;
    // A file that could not be loaded has no tests to fail.
    figures.failed += Math.max(result.numFailedTests, status === 0 ? 0 : 1);
    figures.skipped += result.numPendingTests + result.numTodoTests;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const skipped = figures.skipped > 0 ? `, ${figures.skipped} skipped` : '';
console.log(`${figures.passed} passed, ${figures.failed} failed${skipped}`);
process.exit(figures.failed === 0 && figures.passed > 0 ? 0 : 1);
