/** Carries what `--set` said from the command to the supervisor, as a JSON list. */
export const SETTINGS_VARIABLE = 'HYPER2KVM_STACK_SET';

/** Takes them out of the environment: the services inherit the rest. */
export function takeSettings(env: NodeJS.ProcessEnv): string[] {
  const text = env[SETTINGS_VARIABLE] ?? '[]';
  delete env[SETTINGS_VARIABLE];
  return JSON.parse(text) as string[];
}
