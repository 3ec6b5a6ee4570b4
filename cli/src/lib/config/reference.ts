import { SETTINGS, type Setting } from './table.js';

const HEAD = ['key', 'type', 'default', 'flag', 'variable', 'meaning'];

/** All settings as a table in Markdown, for docs/hyperctl-configuration.md. */
export function settingsTable(): string {
  const rows = SETTINGS.map((setting: Setting) => {
    const { key, kind, flag, negation, env = [], description } = setting;
    return [
      code(key),
      kind.name,
      defaultCell(setting),
      [flag, negation]
        .filter((name) => name !== undefined)
        .map((name) => code(`--${name}`))
        .join(', '),
      env.map(code).join(', '),
      description,
    ];
  });
  return [HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const code = (text: string): string => `\`${text}\``;
const defaultCell = ({ default: value, defaultWord = '' }: Setting): string =>
  value === undefined ? defaultWord : String(value);
