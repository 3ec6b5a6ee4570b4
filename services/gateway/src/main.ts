import { startService } from '@hyper2kvm/runtime';
import { gatewayService } from './service.js';

await startService(gatewayService);
