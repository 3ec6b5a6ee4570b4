/** Every example of the reference of commands and of the API is run by a real shell against real services. */
import { testCommands } from './run.js';
import { REFERENCE } from './todo.js';

testCommands(REFERENCE);
