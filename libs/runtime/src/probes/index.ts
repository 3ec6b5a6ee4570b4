/** Questions about the machine and its servers that need no service to run. */
export { kvmProbe, type KvmMissing, type KvmProbe } from './kvm.js';
export { probeNats, type NatsReport } from './nats.js';
