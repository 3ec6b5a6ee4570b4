/** Templates of an administrator: in the place of shipped ones, and refused where they could not say what they should. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TemplateError, Templates, VARIABLES, type Variables } from '../src/messages/index.js';
import { readTemplates } from '../src/messages/read.js';
import { digestOf, fact, of } from './facts.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'h2k-templates-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string | Buffer): void => writeFileSync(path.join(folder, name), text);
const mistakes = (): string => {
  try {
    Templates.load(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(TemplateError);
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  return '';
};

it('there is a shipped one for each message and format', () => {
  expect([...readTemplates().keys()].toSorted()).toEqual(
    Object.keys(VARIABLES)
      .flatMap((message) => ['html', 'slack', 'subject', 'text'].map((format) => `${message}.${format}`))
      .toSorted(),
  );
});

describe('a template of their own', () => {
  it('takes the place of that one alone', () => {
    write('job.failed.subject.mustache', '\ufeffAlarm: {{vm_name}}\r\n({{error_code}})\r\n');
    const own = Templates.load(folder).mail(of('failed'));
    expect(own.subject).toBe('Alarm: production-db (GUEST_NO_OS)');
    expect(own.text).toBe(Templates.load().mail(of('failed')).text);
  });

  it('is escaped for its format', () => {
    for (const format of ['text', 'html', 'slack']) write(`job.failed.${format}.mustache`, '{{vm_name}}\n');
    const templates = Templates.load(folder);
    const told = of('failed', { vm_name: '<b>&' });
    expect(templates.mail(told)).toMatchObject({ text: '<b>&\n', html: '&lt;b&gt;&amp;\n' });
    expect(templates.slack(told).text).toBe('&lt;b&gt;&amp;');
  });

  it('may use lists, and what is around them', () => {
    write(
      'digest.text.mustache',
      '{{#failed_jobs}}{{vm_name}}/{{guest}}/{{outcome}}\n{{/failed_jobs}}{{#batch}}{{#commands}}{{.}}\n{{/commands}}{{/batch}}{{^batch}}no end yet{{/batch}}',
    );
    const told = digestOf([fact('failed'), fact('completed')], { reason: 'batch' });
    expect(Templates.load(folder).mail(told).text).toBe('production-db//1 of 2 VMs converted, 1 failed\nno end yet');
  });

  it('that says nothing about this message leaves it to the shipped one', () => {
    write('job.completed.subject.mustache', '{{#batch_id}}{{/batch_id}}');
    write('job.completed.slack.mustache', '{{#step}}never{{/step}}\n---\n');
    const templates = Templates.load(folder);
    expect(templates.mail(of('completed')).subject).toBe('[hyper2kvm] production-db: converted, proven to boot');
    expect(templates.slack(of('completed')).text).toContain('production-db was converted');
  });

  it('may lie beside other files, or behind a link', () => {
    write('README', '{{nonsense');
    mkdirSync(path.join(folder, '..data'));
    write('..data/x', 'Alarm: {{vm_name}}');
    symlinkSync('..data/x', path.join(folder, 'job.failed.subject.mustache'));
    expect(Templates.load(folder).mail(of('failed')).subject).toBe('Alarm: production-db');
  });
});

describe('a mistake stops the start, with file and line', () => {
  it.each([
    ['{{headline}}\n\n{{vm_nme}}\n', 'line 3: there is no variable vm_nme here; there are headline, completed, failed'],
    ['a\n{{vm_name\n', 'line 3: unclosed tag'],
    ['a\n{{#advice}}\nb\n', 'line 4: unclosed section "advice"'],
    ['a\n{{/advice}}\nb\n', 'line 2: unopened section "advice"'],
    ['{{> header}}', 'line 1: {{> header}}: templates take no other files'],
    ['{{{vm_name}}}', 'line 1: vm_name is always escaped: write {{vm_name}}'],
    ['{{& vm_name}}', 'line 1: vm_name is always escaped'],
    ['{{=<% %>=}}', 'line 1: the marks {{ and }} cannot be changed'],
    ['{{files}}', 'line 1: files is a section: {{#files}}…{{/files}}'],
    ['{{hostname}}', 'line 1: there is no variable hostname here'],
    ['{{constructor}}', 'line 1: there is no variable constructor here'],
    ['{{proof.kernel}}', 'line 1: there is no variable proof.kernel here'],
    ['{{.}}', 'line 1: there is no variable . here'],
    [' \n', 'line 1: it is empty'],
  ])('%j', (source, expected) => {
    write('job.failed.text.mustache', source);
    expect(mistakes()).toContain(`job.failed.text.mustache, ${expected}`);
  });

  it('all of them at once, also names of files', () => {
    write('job.failed.text.mustache', '{{a}}\n{{b}}');
    write('job.done.text.mustache', 'x');
    write('test.html.mustache', Buffer.from([0x80, 0x81]));
    write('test.text.mustache', 'x'.repeat(300_000));
    symlinkSync('/dev/null', path.join(folder, 'test.slack.mustache'));
    expect(
      mistakes()
        .split('\n')
        .map((line) => line.replace(/;.*/, '')),
    ).toEqual([
      'job.done.text.mustache: there is no such template',
      'job.failed.text.mustache, line 1: there is no variable a here',
      'job.failed.text.mustache, line 2: there is no variable b here',
      'test.html.mustache: it is not UTF-8',
      'test.slack.mustache: it is no file',
      'test.text.mustache: it has 300000 bytes, 262144 are allowed',
    ]);
  });

  it('a folder that is not there', () => {
    rmSync(folder, { recursive: true });
    expect(mistakes()).toMatch(/^notifier\.templates_dir cannot be read: ENOENT/);
  });
});

it('the page of notifications lists every variable', () => {
  const page = readFileSync(new URL('../../../docs/notifications.md', import.meta.url), 'utf8');
  const rows = (variables: Variables): string[] =>
    Object.entries(variables).flatMap(([name, { about, of: within }]) =>
      name === '.' ? [] : [`\`${name}\`|${about}`, ...(within ? rows(within) : [])],
    );
  const plain = page.replaceAll(/ *\| */g, '|');
  for (const row of Object.values(VARIABLES).flatMap(rows)) expect(plain).toContain(row);
});
