// Help, and what is said to what was mistyped: by the real binary, without any gateway.
import { describe, expect, it } from 'vitest';
import { oneError } from './one-error.js';
import { hyperctl } from './site/index.js';

/** Nothing of it may need a gateway. */
const NOWHERE = { HYPER2KVM_URL: 'http://gateway.invalid:1' };

describe('hyperctl help', () => {
  it('is the same with no words, --help and -h: what there is, exit codes, documentation', async () => {
    const [bare, ...others] = await Promise.all(
      [[], ['--help'], ['help'], ['-h']].map((args) => hyperctl(args, NOWHERE)),
    );
    expect(bare).toMatchObject({ exitCode: 0, stderr: '' });
    for (const other of others) expect(other).toEqual(bare);
    expect(bare?.stdout).toMatch(
      /^MOVE VMS\n[^]*^ {2}convert +\S[^]*^FOLLOW\n[^]*^EXIT CODES\n {2}0 +done\n[^]*^DOCUMENTATION\n/m,
    );
    expect(bare?.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('of a command and of a topic', async () => {
    const [command, same, topic] = await Promise.all([
      hyperctl(['help', 'batches', 'show'], NOWHERE),
      hyperctl(['batches', 'show', '--help'], NOWHERE),
      hyperctl(['daemon'], NOWHERE),
    ]);
    expect(command).toMatchObject({ exitCode: 0, stderr: '' });
    expect(command.stdout).toMatch(/^Show a batch.*\n\nUSAGE\n {2}\$ hyperctl batches show \[BATCH\] \[FLAGS\]\n/);
    expect(same).toEqual(command);
    expect(topic.stdout).toMatch(/^The services on this machine.*\n\nUSAGE\n {2}\$ hyperctl daemon COMMAND/);
  });
});

describe('what was mistyped', () => {
  it.each([
    [['covert', '--vm', 'web-01'], 'there is no command "hyperctl covert"; did you mean "hyperctl convert"?'],
    [['batch', 'list'], 'there is no command "hyperctl batch list"; did you mean "hyperctl batches list"?'],
    [['deamon', 'status'], 'there is no command "hyperctl deamon status"; did you mean "hyperctl daemon status"?'],
    [['list', 'batches'], 'there is no command "hyperctl list batches"; did you mean "hyperctl batches list"?'],
    [['help', 'covert'], 'there is no command "hyperctl covert"; did you mean "hyperctl convert"?'],
    [['convert', '--vcentre', 'vc'], '"hyperctl convert" has no flag --vcentre; did you mean --vcenter?'],
    [['convert', '--paralel=3'], '"hyperctl convert" has no flag --paralel; did you mean --parallel?'],
    [['convert', '--vm', 'x', '--priority', 'hihg'], '"hihg" is no value of --priority; did you mean "high"?'],
    [['list', '--status', 'faild'], '"faild" is no value of --status; did you mean "failed"?'],
    [['convert', 'web-01'], '"hyperctl convert" takes no bare word "web-01"'],
    [['convert', '--vm'], '--vm needs a value'],
    [['status', '--job', 'a', '--vm', 'b'], '--job and --vm cannot be given together'],
    [['list', '--limit', 'many'], '--limit takes a whole number, not "many"'],
    [['xyzzy'], 'there is no command "hyperctl xyzzy"'],
  ])('%j', async (args, message) => {
    const [first, second, ...rest] = (await oneError(2, args, NOWHERE)).split('\n');
    expect(first).toBe(`Error: ${message}`);
    expect(second).toMatch(/^ {2}try: {3}\S/);
    expect(rest).toEqual([]);
  });

  it('is a document with --json', async () => {
    const [command, flag] = await Promise.all([
      hyperctl(['covert', '--json'], NOWHERE),
      hyperctl(['list', '--jsn', '--json'], NOWHERE),
    ]);
    expect(command.exitCode).toBe(2);
    expect(JSON.parse(command.stdout)).toEqual({
      error: {
        code: 'USAGE',
        message: 'there is no command "hyperctl covert"; did you mean "hyperctl convert"?',
        advice: 'hyperctl convert --help; all commands: hyperctl --help',
      },
    });
    expect(JSON.parse(flag.stdout)).toMatchObject({
      error: { message: expect.stringContaining('--json?') as unknown },
    });
  });
});
