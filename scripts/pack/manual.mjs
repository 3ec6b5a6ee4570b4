import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Marked } from 'marked';
import markedMan from 'marked-man';

/** Flags of these groups are the same everywhere, and told once. */
const COMMON = ['GATEWAY', 'OUTPUT'];

/** Beside those that decide a setting. */
const VARIABLES = {
  VSPHERE_PASSWORD: 'Password of the account at vCenter.',
  HYPERCTL_CONFIG: 'The configuration, instead of the one in FILES.',
  HYPER2KVM_HOME: 'Folder of the local stack: /var/lib/hyper2kvm for root, ~/.local/share/hyper2kvm else.',
  HYPER2KVM_LUKS_KEY: 'Passphrase of encrypted disks, where no --luks-key is given.',
  HYPERCTL_COMPLETION_TIMEOUT: 'Seconds that a completion may wait for the gateway: 1.',
  DEBUG: 'With an error, where it came from.',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'Where the span of the command is sent, by OTLP/HTTP.',
  NODE_DISABLE_COMPILE_CACHE: 'Do not keep what Node compiled.',
};
const FILES = {
  '~/.config/hyper2kvm/config.yaml': 'Configuration; $XDG_CONFIG_HOME counts. "hyperctl config path" says where it is.',
  '/var/lib/hyper2kvm/': 'The local stack of root, and what it converts.',
  '~/.local/share/hyper2kvm/': 'The same of other users.',
  '~/.cache/hyper2kvm/compiled/': 'What Node compiled, from Node 22.1 on; may be removed at any time.',
};

/**
 * The man page, from what the commands say of themselves.
 * @returns {Promise<string>} roff
 */
export async function manual({ cli, manifest, version }) {
  const built = (file) => import(pathToFileURL(path.join(cli, 'dist', file)).href);
  const [{ EXIT_CODES, FIRST_EXAMPLES }, { SETTINGS }] = await Promise.all([
    built('help/groups.js'),
    built('lib/config/table.js'),
  ]);
  const settings = SETTINGS.flatMap(({ env = [], description }) => env.map((name) => [name, description]));
  const commands = Object.values(manifest.commands)
    .filter(({ hidden }) => hidden !== true)
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const markdown = [
    '# hyperctl(1) -- move virtual machines from vSphere to KVM',
    '## SYNOPSIS',
    '**hyperctl** _COMMAND_ [_FLAGS_]',
    '## DESCRIPTION',
    text(
      'hyperctl is the command line of hyper2kvm. It asks a gateway to move virtual machines from VMware vSphere, or from disk ' +
        'images and OVAs, to KVM, shows how that goes, and steers it. A job goes on when hyperctl ends.',
    ),
    '## COMMANDS',
    ...commands.flatMap(command),
    '## COMMON FLAGS',
    ...commonFlags(commands),
    '## EXIT STATUS',
    items(EXIT_CODES),
    '## ENVIRONMENT',
    items([...settings, ...Object.entries(VARIABLES).filter(([name]) => !settings.some(([one]) => one === name))]),
    '## FILES',
    items(Object.entries(FILES)),
    '## EXAMPLES',
    ...FIRST_EXAMPLES.flatMap(([what, line]) => [`${text(what)}:`, block(line)]),
  ].join('\n\n');
  return roff(markdown, version);
}

function command({ id, summary, description, args, flags, examples }) {
  const name = id.replaceAll(':', ' ');
  const taken = Object.values(args).filter(({ hidden }) => hidden !== true);
  const own = Object.values(flags).filter(({ hidden, helpGroup }) => hidden !== true && !COMMON.includes(helpGroup));
  const words = taken.map((arg) => `[_${text(arg.name.toUpperCase())}_]`);
  return [
    `### hyperctl ${[text(name), ...words].join(' ')}`,
    text(fill(summary ?? '')),
    ...paragraphs(fill(description ?? '')),
    ...(taken.length === 0 ? [] : [items(taken.map((arg) => [arg.name.toUpperCase(), fill(arg.description ?? '')]))]),
    ...(own.length === 0 ? [] : [flagItems(own)]),
    ...(examples === undefined ? [] : [block(examples.map(exampleOf).join('\n'))]),
  ];
}

function commonFlags(commands) {
  const all = commands.flatMap(({ flags }) => Object.values(flags));
  return COMMON.flatMap((group) => {
    const found = new Map(all.filter((flag) => flag.helpGroup === group).map((flag) => [flag.name, flag]));
    const who = group === 'OUTPUT' ? 'Of every command:' : 'Of commands that talk to the gateway:';
    return [who, flagItems([...found.values()])];
  });
}

const flagItems = (flags) =>
  list(
    flags.map((flag) => {
      const { name, char, type, allowNo, multiple, options, helpValue } = flag;
      const value = options?.join('|') ?? (Array.isArray(helpValue) ? helpValue.join(' ') : helpValue) ?? 'VALUE';
      const word = `**${allowNo === true ? `--\\[no-]${name}` : `--${name}`}**`;
      const shown = type === 'boolean' ? word : `${word} _${text(value)}_${multiple === true ? ' …' : ''}`;
      return [char === undefined ? shown : `**-${char}**, ${shown}`, fill(flag.summary ?? flag.description ?? '')];
    }),
  );

const items = (pairs) => list(pairs.map(([name, meaning]) => [`**${text(name)}**`, meaning]));
const list = (pairs) => pairs.map(([name, meaning]) => `* ${name}\n${text(meaning) || '-'}`).join('\n');
const block = (lines) => `\`\`\`\n${lines}\n\`\`\``;
const fill = (template) => template.replaceAll(/<%[=-]\s*config\.bin\s*%>/g, 'hyperctl').replaceAll(/<%[=-].*?%>/g, '');
const exampleOf = (example) =>
  typeof example === 'string' ? fill(example) : `# ${fill(example.description ?? '')}\n${fill(example.command)}`;

/** Lines of a description are broken for terminals: those of a paragraph belong together. Columns stay columns. */
const paragraphs = (description) =>
  description
    .split(/\n{2,}/)
    .filter((part) => part.trim() !== '')
    .map((part) => (/^ {2,}\S|\S {3,}\S/m.test(part) ? block(part) : text(part)));

/** Plain text in Markdown, on one line. */
const text = (plain) =>
  plain
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/[\\*_[\]<>|#~&]/g, '\\$&')
    .replaceAll(/`([^`]*)`/g, '**$1**');

function roff(markdown, version) {
  const parser = new Marked();
  // gfm: an address in a sentence would become a link, and is none.
  parser.use({ ...markedMan, gfm: false, manVersion: `hyperctl ${version}`, manual: 'hyper2kvm' });
  return (
    parser
      .parse(markdown)
      // Its lists have bullets; in man pages a term stands above what it means.
      .replaceAll(/^\.IP \\\(bu 2$/gm, '.TP')
      .replaceAll(/^\.RS 1\n((?:(?!\.R[SE])[^]*?\n)?)\.RE\n/gm, '$1')
      .replaceAll(/\n{2,}/g, '\n')
      .replaceAll(/^(\.S[HS] .*\n)\.P\n/gm, '$1')
      .replace(/^(\.TH "\w+" "1") "[^"]*"/, `$1 "${new Date().toISOString().slice(0, 10)}"`)
      // What is shown as it is stands apart, and not within the meaning of the last term.
      .replaceAll(/^\.RS 2\n\.nf$/gm, '.P\n$&')
      // Readable in every encoding.
      .replaceAll(/[^\p{ASCII}]/gu, (char) => `\\[u${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)
  );
}
