import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { StackPaths } from './home.js';

/** Tells the supervisor that a mark was made or taken away. */
export const LOOK_AGAIN: NodeJS.Signals = 'SIGUSR2';

/**
 * What is stopped on purpose: a mark for each service, so that two commands at once cannot undo each other's. The marks outlive
 * the supervisor; a start of everything takes them away.
 */
const markOf = (paths: StackPaths, service: string): string => path.join(paths.stopped, service);

export const isWanted = (paths: StackPaths, service: string): boolean => !existsSync(markOf(paths, service));

/** @throws Error of the file system */
export function setWanted(paths: StackPaths, service: string, wanted: boolean): void {
  if (wanted) return rmSync(markOf(paths, service), { force: true });
  mkdirSync(paths.stopped, { recursive: true, mode: 0o755 });
  writeFileSync(markOf(paths, service), '', { mode: 0o644 });
}

export const setAllWanted = (paths: StackPaths): void => rmSync(paths.stopped, { recursive: true, force: true });
