import type { ServiceOptions } from '@hyper2kvm/runtime';
import { AppModule } from './app.module.js';
import { SECTIONS } from './config.js';
import { configureHttp, httpAdapter, listenBesides } from './http/adapter.js';

/** The gateway as the runtime starts it. */
export const gatewayService = {
  name: 'gateway',
  module: AppModule,
  section: SECTIONS.gateway,
  sections: {
    vsphere: SECTIONS.vsphere,
    conversion: SECTIONS.conversion,
    retry_policy: SECTIONS.retry_policy,
    targets: SECTIONS.targets,
  },
  secrets: true,
  http: { adapter: httpAdapter, listen: (config) => config.listen, configure: configureHttp, listenBesides },
} satisfies ServiceOptions<typeof SECTIONS.gateway>;
