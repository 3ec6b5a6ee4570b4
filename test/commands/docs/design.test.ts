/** The commands and usage examples of the first design document run as they stand there, with a simulated vCenter. */
import { testCommands } from './run.js';
import { DESIGN } from './todo.js';

testCommands([DESIGN]);
