import { expect, it } from 'vitest';
import { Home } from './home.js';

it('hyperctl config rename-context gives a context another name, the current one too', async () => {
  const home = await Home.with('current_context: lab # now\ncontexts:\n  prod: {}\n  lab: {} # mine\n');
  expect(await home.run(['config', 'rename-context', 'lab', 'test-lab'])).toEqual({
    exitCode: 0,
    stdout: 'Context lab is called test-lab now',
    stderr: '',
  });
  expect(await home.text()).toBe('current_context: test-lab # now\ncontexts:\n  prod: {}\n  test-lab: {} # mine\n');
  const taken = await home.run(['config', 'rename-context', 'test-lab', 'prod']);
  expect(taken).toMatchObject({ exitCode: 2, stdout: '' });
  expect(taken.stderr).toContain('there is a context prod already');
  expect((await home.run(['config', 'rename-context', 'gone', 'x'])).stderr).toContain('there is no context gone');
  expect((await home.run(['config', 'rename-context', 'prod', '-x'])).exitCode).toBe(2);
});
