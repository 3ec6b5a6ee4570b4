export { accelerator, type Accelerator } from './kvm.js';
export { Appliance, type ApplianceDisk, type ApplianceOptions } from './appliance.js';
export { inspect, type FileSystem, type GuestFacts, type Mountpoint } from './inspect.js';
export { clearLeftovers } from './leftovers.js';
export { isPlain } from './quote.js';
export { openGuest, type OpenGuest, type OpenOptions } from './open.js';
