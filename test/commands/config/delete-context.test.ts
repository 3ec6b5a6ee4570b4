import { expect, it } from 'vitest';
import { Home } from './home.js';

it('hyperctl config delete-context takes a context out, and is not current any more', async () => {
  const home = await Home.with(
    '# mine\ncurrent_context: lab\ncontexts:\n  prod: { ui: { color: true } } # stays\n  lab:\n    ui: { color: true }\n',
  );
  expect(await home.run(['config', 'delete-context', 'lab'])).toEqual({
    exitCode: 0,
    stdout: 'Deleted context lab, which was the current one',
    stderr: '',
  });
  expect(await home.text()).toBe('# mine\ncontexts:\n  prod: { ui: { color: true } } # stays\n');
  const wrong = await home.run(['config', 'delete-context', 'pord']);
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' });
  expect(wrong.stderr).toContain('did you mean "prod"?');
});
