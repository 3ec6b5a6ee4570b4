// The reference of commands: what "hyperctl COMMAND --help" says, on one page.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Config } from '@oclif/core';
import { cell, code, table } from './markdown.mjs';

/** Flags of every command, and of every command that talks to the gateway: told once. */
const COMMON_GROUPS = ['OUTPUT', 'GATEWAY'];
const EXIT_WORDS = {
  ok: 'Done.',
  failed:
    'A job failed or was cancelled, a batch stopped, a file is not as recorded, something was left behind, a privilege is missing (`vcenter test`), a VM would be refused (`inspect`), or what was asked for could not be done.',
  usage: 'The command line, a file that it names or the configuration is wrong.',
  unreachable: 'The gateway cannot be reached.',
  notFound: 'There is no such VM, job, batch or other thing.',
  denied: 'It is not allowed: the token, the login at vCenter or a path.',
  interrupted: 'Ctrl-C: the command ended, the job goes on.',
};

const fill = (text) =>
  text.replaceAll(/<%[=-]\s*config\.bin\s*%>/g, 'hyperctl').replaceAll(/<%[=-]\s*command\.id\s*%>/g, '');

/** @returns {Promise<string>} Markdown */
export async function commandReference(root) {
  // What was built counts, not a manifest that was packed some time.
  const config = await Config.load({ root: path.join(root, 'cli'), ignoreManifest: true });
  const commands = config.commands
    .filter(({ hidden, id }) => !hidden && id !== 'help')
    .map((command) => ({ ...command, name: command.id.replaceAll(':', ' ') }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const { EXIT } = await import(pathToFileURL(path.join(root, 'cli/dist/lib/exit-codes.js')).href);
  const common = commonFlags(commands);
  return [
    '# Commands',
    'Each is explained by `hyperctl COMMAND --help`, too. How they work together: [user guide](../user-guide.md).',
    table(
      ['command', 'what it does'],
      commands.map(({ name, summary }) => [
        `[${code(`hyperctl ${name}`)}](#${anchor(name)})`,
        cell(fill(summary ?? '')),
      ]),
    ),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.entries(EXIT).map(([key, number]) => [String(number), wordsOf(key)]),
    ),
    ...common.flatMap((flags, index) => [`## ${COMMON_TITLES[index]}`, flagTable(flags)]),
    ...commands.flatMap((command) => section(command, common.flat())),
  ].join('\n\n');
}

function wordsOf(key) {
  const words = EXIT_WORDS[key];
  if (words === undefined) throw new Error(`scripts/docs/commands.mjs has no words for the exit code ${key}`);
  return words;
}

const anchor = (name) => `hyperctl-${name.replaceAll(' ', '-')}`;

/** The flags of a group that most commands have, in the words that most of them use. */
function commonFlags(commands) {
  return COMMON_GROUPS.map((group) => {
    const words = new Map();
    for (const flag of commands.flatMap((command) => grouped(command).get(group) ?? [])) {
      const key = `${flag.name}\n${flag.description}`;
      words.set(key, { flag, uses: (words.get(key)?.uses ?? 0) + 1 });
    }
    const flags = new Map();
    for (const { flag, uses } of words.values()) {
      if (uses > (flags.get(flag.name)?.uses ?? 1)) flags.set(flag.name, { flag, uses });
    }
    return [...flags.values()].map(({ flag }) => flag);
  });
}

const COMMON_TITLES = ['Flags of every command', 'Flags of commands that talk to the gateway'];

function grouped({ flags }) {
  const groups = new Map();
  for (const flag of Object.values(flags)) {
    if (flag.hidden === true) continue;
    const name = flag.helpGroup ?? '';
    groups.set(name, [...(groups.get(name) ?? []), flag]);
  }
  return groups;
}

function section(command, common) {
  const groups = grouped(command);
  const isCommon = (flag) =>
    common.some(({ name, description }) => name === flag.name && description === flag.description);
  const own = [...groups]
    .map(([name, flags]) => [name, flags.filter((flag) => !isCommon(flag))])
    .filter(([, flags]) => flags.length > 0)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  const args = Object.values(command.args).filter(({ hidden }) => !hidden);
  // Who has the second group has the first.
  const title = COMMON_TITLES[COMMON_GROUPS.findLastIndex((name) => groups.has(name))];
  const examples = (command.examples ?? []).map((example) => exampleOf(example));
  return [
    `## hyperctl ${command.name}`,
    fill(command.summary ?? ''),
    ...(command.description === undefined ? [] : [paragraphs(fill(command.description))]),
    ['```text', usage(command, args), '```'].join('\n'),
    ...(args.length === 0
      ? []
      : [
          table(
            ['argument', 'meaning'],
            args.map((arg) => [code(arg.name.toUpperCase()), describe(arg)]),
          ),
        ]),
    ...own.flatMap(([name, flags]) => [...(name === '' ? [] : [`**${heading(name)}**`]), flagTable(flags)]),
    ...(title === undefined
      ? []
      : [`And the [${title.charAt(0).toLowerCase()}${title.slice(1)}](#${title.toLowerCase().replaceAll(' ', '-')}).`]),
    ...(examples.length === 0 ? [] : [['```sh', ...examples, '```'].join('\n')]),
  ];
}

const heading = (group) => group.charAt(0) + group.slice(1).toLowerCase();

function usage({ name, strict }, args) {
  const words = args.map((arg) => (arg.required === true ? arg.name.toUpperCase() : `[${arg.name.toUpperCase()}]`));
  return ['hyperctl', name, ...words, ...(strict === false ? ['…'] : []), '[FLAGS]'].join(' ');
}

const flagTable = (flags) =>
  table(
    ['flag', 'meaning'],
    flags.map((flag) => [flagWords(flag), describe(flag)]),
  );

function flagWords({ name, char, type, allowNo, helpValue, multiple }) {
  const long = allowNo === true ? `--[no-]${name}` : `--${name}`;
  const value =
    type === 'boolean'
      ? ''
      : ` ${(Array.isArray(helpValue) ? helpValue.join(' ') : helpValue) ?? 'VALUE'}${multiple === true ? '…' : ''}`;
  return code(`${char === undefined ? '' : `-${char}, `}${long}${value}`);
}

function describe({ description, summary, required, options, default: preset }) {
  const more = [
    ...(required === true ? ['Required.'] : []),
    ...(options === undefined ? [] : [`One of: ${options.map(code).join(', ')}.`]),
    ...(preset === undefined || preset === false || typeof preset === 'object'
      ? []
      : [`Default: ${code(String(preset))}.`]),
  ];
  return [cell(fill(summary ?? description ?? '')), ...more].filter((text) => text !== '').join(' ');
}

/** Lines of a description are broken for terminals: those of a paragraph belong together. Columns stay columns. */
function paragraphs(text) {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block) =>
      /^ {2,}\S|\S {3,}\S/m.test(block) ? ['```text', block, '```'].join('\n') : cell(block).replaceAll('\n', ' '),
    )
    .join('\n\n');
}

function exampleOf(example) {
  if (typeof example === 'string') {
    const [first, ...rest] = fill(example)
      .split('\n')
      .filter((line) => line.trim() !== '');
    if (rest.length === 0) return first.replace(/^\$ /, '');
    // oclif's own form: a sentence, then "$ command" on a line of its own.
    return rest[0].trimStart().startsWith('$ ')
      ? [`# ${first}`, ...rest.map((line) => line.trim().replace(/^\$ /, ''))].join('\n')
      : [first.replace(/^\$ /, ''), ...rest].join('\n');
  }
  return [...(example.description === undefined ? [] : [`# ${fill(example.description)}`]), fill(example.command)].join(
    '\n',
  );
}
