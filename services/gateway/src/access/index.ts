import type { Provider, Type } from '@nestjs/common';
import { AccessController } from './access.controller.js';
import { Audit } from './audit.js';
import { Authenticator } from './authenticator.js';
import { Followers } from './followers.js';
import { Gate } from './gate.js';
import { Idempotency } from './idempotency.js';
import { Limits } from './limits.js';
import { Tokens } from './tokens.js';

export { Gate } from './gate.js';
export { listenOnSocket } from './unix-socket.js';

export const ACCESS_CONTROLLERS: Type[] = [AccessController];
export const ACCESS_PROVIDERS: Provider[] = [Tokens, Limits, Authenticator, Audit, Idempotency, Followers, Gate];
