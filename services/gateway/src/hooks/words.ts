import type { Hook, HookSubject } from '@hyper2kvm/contracts';

/** `The hook before the migration (command quiesce)` */
export const hookWords = (moment: HookSubject['moment'], hook: Hook): string =>
  `The hook ${moment} the migration (${'command' in hook ? `command ${hook.command}` : `call of ${new URL(hook.url).host}`})`;
