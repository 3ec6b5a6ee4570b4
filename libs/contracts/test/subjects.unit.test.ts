import {
  CATALOGUE,
  cleanupRequested,
  commandSubject,
  conversionRequested,
  exportCompleted,
  exportRequested,
  factSubject,
  laneStream,
  STREAM_NAMES,
  STREAMS,
  type CommandDefinition,
} from '@hyper2kvm/contracts';
import { describe, expect, it } from 'vitest';

const JOB = 'job-7k2m9x4qa3hd';

/** NATS' rule: `*` stands for one token, a last `>` for one or more. */
function matches(pattern: string, subject: string): boolean {
  const [want, have] = [pattern.split('.'), subject.split('.')];
  if (want.at(-1) === '>')
    return have.length >= want.length && want.slice(0, -1).every((token, i) => fits(token, have[i]));
  return want.length === have.length && want.every((token, i) => fits(token, have[i]));
}
const fits = (token: string, actual: string | undefined): boolean => token === '*' || token === actual;
const streamsOf = (subject: string): string[] =>
  STREAMS.filter(({ subjects }) => subjects.some((pattern) => matches(pattern, subject))).map(({ name }) => name);

describe('subjects', () => {
  it('a command carries its lane, pool and job', () => {
    expect(commandSubject(exportRequested, 'high', 'any', JOB)).toBe(`export.requested.high.any.${JOB}`);
    expect(commandSubject(conversionRequested, 'low', 'kvm01', JOB)).toBe(`conversion.requested.low.kvm01.${JOB}`);
  });

  it('a task carries its pool and job alone', () => {
    expect(commandSubject(cleanupRequested, 'normal', 'kvm01', JOB)).toBe(`task.cleanup.kvm01.${JOB}`);
  });

  it('a fact carries what it is about', () => {
    expect(factSubject(exportCompleted, JOB)).toBe(`export.completed.${JOB}`);
  });

  it('a lane has a stream of its own', () => {
    expect(laneStream('export.requested', 'high')).toBe('EXPORT_HIGH');
    expect(laneStream('conversion.requested', 'normal')).toBe('CONVERSION_NORMAL');
    expect(() => laneStream('cleanup.requested', 'low')).toThrow('no stream for cleanup.requested on lane low');
  });
});

describe('streams', () => {
  it('each name is declared once', () => {
    expect(STREAMS.map(({ name }) => name).toSorted()).toEqual([...STREAM_NAMES].toSorted());
  });

  const facts = [...CATALOGUE.values()].filter(({ kind }) => kind === 'fact');
  it.each(facts.map((fact) => [fact.type, fact] as const))('%s lies in its stream and no other', (_type, fact) => {
    expect(streamsOf(factSubject(fact, fact.name.startsWith('batch') ? 'batch-3n8d5w2kq7rt' : JOB))).toEqual([
      fact.stream,
    ]);
  });

  const commands = [...CATALOGUE.values()].filter((event): event is CommandDefinition => event.kind === 'command');
  it.each(commands.flatMap((command) => command.lanes.map((lane) => [command.name, lane, command] as const)))(
    '%s on %s lies in its stream and no other',
    (name, lane, command) => {
      const stream = command.stream === 'by lane' ? laneStream(name, lane) : 'TASKS';
      for (const pool of ['any', 'kvm01']) {
        expect(streamsOf(commandSubject(command, lane, pool, JOB))).toEqual([stream]);
      }
    },
  );

  it('the catalogue holds both kinds', () => {
    expect(commands).toHaveLength(6);
    expect(facts.length).toBeGreaterThan(10);
  });
});
