import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The licence of everything that was bundled: all of them want to be shown with the code.
 * @param folders of the packages
 */
export function licenses(folders) {
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
    if (license === undefined && text === '') throw new Error(`pack: ${name} names no licence`);
    return { title: `${name} ${version}${license === undefined ? '' : ` (${license})`}`, text };
  });
  const line = '-'.repeat(80);
  return `hyperctl holds code of these packages:\n\n${parts.map(({ title, text }) => `${line}\n${title}\n${text}`).join('\n')}`;
}
