export { ExporterConfig, toSettings } from './config.js';
export * from './export/index.js';
export { HooksConfig } from './hooks/index.js';
export { Qcow2Writer } from './image/index.js';
export { TlsTrustError, type Trust } from './net/index.js';
export * from './sources/vsphere/index.js';
export * from './transfer/index.js';
export * from './vmdk/index.js';
export * from './sources/local/index.js';
