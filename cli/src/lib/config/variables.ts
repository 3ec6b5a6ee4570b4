/** `${NAME}`, as the services' configuration has it. */
const VARIABLE = /\$\{(\w+)\}/g;

export const hasVariables = (value: unknown): boolean => typeof value === 'string' && value.search(VARIABLE) !== -1;

/** @throws Error naming the variable that is not set */
export const expand = (value: string, env: NodeJS.ProcessEnv): string =>
  value.replaceAll(VARIABLE, (_, name: string) => {
    const found = env[name];
    if (found === undefined) throw new Error(`the environment variable ${name} is not set`);
    return found;
  });
