import { Inject } from '@nestjs/common';

/** The service's own validated, frozen section of the configuration. */
export const SERVICE_CONFIG = Symbol('SERVICE_CONFIG');
/** All sections that the service asked for, with the common ones. */
export const CONFIG = Symbol('CONFIG');
/** The pino logger. */
export const LOGGER = Symbol('LOGGER');

export const InjectConfig = (): ParameterDecorator => Inject(SERVICE_CONFIG);
export const InjectLogger = (): ParameterDecorator => Inject(LOGGER);
