export { accelerator, type Accelerator } from './kvm.js';
export { Appliance, type ApplianceDisk, type ApplianceOptions } from './appliance.js';
export type { FileSystem, GuestFacts, InitSystem, LuksVolume, Mountpoint } from './facts.js';
export { clearLeftovers } from './leftovers.js';
export { isPlain } from './quote.js';
export { inspect } from './inspect.js';
export type { Inspected, InspectOptions } from './inspected.js';
export { openGuest, type OpenGuest, type OpenOptions } from './open.js';
export { storageWords } from './storage-words.js';
