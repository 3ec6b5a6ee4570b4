/**
 * Every command of README and docs is run by a real shell, as it stands there, against real services. What cannot be run is in
 * elsewhere.ts, with what runs it.
 */
import { testCommands } from './run.js';
import { GUIDES } from './todo.js';

testCommands(GUIDES);
