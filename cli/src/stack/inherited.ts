import { readFileSync } from 'node:fs';

/** What a command is told for itself alone. */
const OWN_SECRETS = ['VSPHERE_PASSWORD', 'HYPER2KVM_TOKEN', 'HYPER2KVM_LUKS_KEY', 'HYPER2KVM_SLACK_WEBHOOK'];

/**
 * The environment for a supervisor and its services, which run for months, some as other users: without the secrets of the command
 * that happened to start them, unless the stack's own configuration names one.
 * @param config file of the stack
 * @param set what is set in it now
 */
export function inheritedBy(config: string, set: readonly string[], env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const told = [textOf(config), ...set].join('\n');
  const gone = OWN_SECRETS.filter((name) => !told.includes(`\${${name}}`));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !gone.includes(name)));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
