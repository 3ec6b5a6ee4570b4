import { homedir } from 'node:os';
import path from 'node:path';

/**
 * Where the configuration of hyperctl lies: HYPERCTL_CONFIG, else `hyper2kvm/config.yaml` in the user's folder of configurations.
 * HYPER2KVM_CONFIG is another file, that of the services.
 */
export function configPath(env: NodeJS.ProcessEnv = process.env): string {
  const named = env['HYPERCTL_CONFIG'];
  if (named !== undefined && named !== '') return path.resolve(named);
  // https://specifications.freedesktop.org/basedir: a relative path is to be ignored.
  const xdg = env['XDG_CONFIG_HOME'];
  const base = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(homeOf(env), '.config');
  return path.join(base, 'hyper2kvm', 'config.yaml');
}

const homeOf = (env: NodeJS.ProcessEnv): string => {
  const home = env['HOME'];
  return home === undefined || home === '' ? homedir() : home;
};

/** `~/x` is in the user's home; what is relative is so to a folder. */
export const fileAt = (file: string, folder: string, env: NodeJS.ProcessEnv): string =>
  /^~(\/|$)/.test(file) ? path.join(homeOf(env), file.slice(1)) : path.resolve(folder, file);
