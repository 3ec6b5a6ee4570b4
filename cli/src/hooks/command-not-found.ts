import { Errors, type Hook } from '@oclif/core';
import { missingCommand } from '../lib/missing-command.js';
import { report, showingOf } from '../lib/report-error.js';

/** A command that does not exist: says which one was probably meant, and ends. It asks nothing: scripts run hyperctl, too. */
const commandNotFound: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  throw new Errors.ExitError(await report(missingCommand(id, argv, config), showingOf([id, ...argv])));
};

export default commandNotFound;
