/** Commands of the docs that are not run with the others: why not, and what runs them. */
export interface Elsewhere {
  /** The whole command, or a pattern of it. Each has to be found in the docs. */
  readonly command: string | RegExp;
  readonly why: string;
  /** File of the repository. */
  readonly runBy: string;
}

export const ELSEWHERE: readonly Elsewhere[] = [
  {
    command: /^npm run demo\b/,
    why: 'takes minutes and a guest of its own',
    runBy: 'test/e2e/demo.e2e.test.ts',
  },
  { command: /^npm test\b/, why: 'it is what runs this', runBy: '.ci/run' },
  { command: /^npm run setup\b/, why: 'changes the machine', runBy: '.ci/run' },
  {
    command: /^sudo (cp|systemctl|journalctl) /,
    why: 'needs a machine that was booted with systemd, and root',
    runBy: 'test/commands/daemon/systemd.test.ts',
  },
  {
    command: /^govc /,
    why: 'makes a role and an account at a real vCenter; what stands in the role is compared with what is asked for',
    runBy: 'services/exporter/test/privileges.unit.test.ts',
  },
  {
    command: /^npm (run pack:cli$|install --global \.\/cli\/pack\/)/,
    why: 'builds, and installs for the whole machine',
    runBy: 'test/integration/cli-pack.int.test.ts',
  },
  {
    command: /^docker compose --file deploy\/grafana\/compose\.yaml /,
    why: 'needs Docker, and images from elsewhere; the file itself is read, and what it mounts is looked for',
    runBy: 'test/support/grafana.unit.test.ts',
  },
  {
    command: /^sudo (apt install prometheus|ln --symbolic \S+ \/etc\/prometheus\/local)$/,
    why: 'changes the machine; the same files are read by a Prometheus of the test',
    runBy: 'test/integration/grafana.int.test.ts',
  },
  {
    command: /^promtool (check|test) rules deploy\/grafana\//,
    why: 'set-up brings it, and puts it on no PATH',
    runBy: 'test/integration/grafana-rules.int.test.ts',
  },
  {
    command: /^(npx )?hyperctl doctor\b/,
    why: 'it judges the machine: what is missing there is no fault of the docs',
    runBy: 'test/commands/doctor.test.ts',
  },
];

/** What ends otherwise than with 0, and where the docs say so. */
export const OUTCOMES: readonly { readonly command: RegExp; readonly exit: number; readonly why: string }[] = [
  {
    command: /^hyperctl batches resume (?!.*--detach)/,
    exit: 1,
    why: 'a VM of the batch had failed before',
  },
];

/** What goes on until somebody ends it, or a time has come: it is ended by Ctrl-C, and its exit code is 0 or 130. */
export const ENDLESS: readonly RegExp[] = [
  /^hyperctl watch(?!.*--(once|json))/,
  /^hyperctl (convert|export) .*--(at|window)(?!.*--detach)/,
  /^hyperctl daemon logs .*(--follow|-f\b)/,
];
