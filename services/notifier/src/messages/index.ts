export type { SlackMessage } from './blocks.js';
export { readTemplates, TemplateError } from './read.js';
export { Templates, viewOf, type Mail } from './templates.js';
export { VARIABLES, type MessageName, type Variable, type Variables } from './variables.js';
