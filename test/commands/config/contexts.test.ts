import { expect, it } from 'vitest';
import { Home } from './home.js';

const TEXT = `
vsphere: { server: vc.example.com }
current_context: prod
contexts:
  prod: { daemons: { go: { url: "https://prod.example.com" } } }
  lab:
    daemons: { python: { socket: /run/hyper2kvm/gateway.sock } }
    vsphere: { server: "\${LAB}" }
`;

it('hyperctl config contexts lists them, the current one marked', async () => {
  const home = await Home.with(TEXT);
  const table = await home.run(['config', 'contexts'], { HYPER2KVM_URL: 'http://env' });
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  expect(table.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['', 'NAME', 'GATEWAY', 'VCENTER'],
    ['*', 'prod', 'https://prod.example.com', 'vc.example.com'],
    ['', 'lab', '/run/hyper2kvm/gateway.sock', '(the environment variable LAB is not set)'],
  ]);
  expect((await home.run(['config', 'get-contexts', '--quiet'])).stdout).toBe('prod\nlab');
  const json = await home.run(['config', 'contexts', '--json'], { HYPER2KVM_CONTEXT: 'lab', LAB: 'lab.example.com' });
  expect(JSON.parse(json.stdout)).toMatchObject({
    current_context: 'lab',
    contexts: [
      { name: 'prod', current: false },
      { name: 'lab', current: true, vcenter: 'lab.example.com' },
    ],
  });
});

it('hyperctl config contexts says when there are none, or the current one is not there', async () => {
  const home = await Home.with(TEXT);
  const lost = await home.run(['config', 'contexts'], { HYPER2KVM_CONTEXT: 'gone' });
  expect(lost.stderr).toBe('Note: the current context gone is not among them');
  const none = await Home.with();
  expect((await none.run(['config', 'contexts'])).stdout).toMatch(
    /^No contexts\. Make one: hyperctl config set --context/,
  );
});
