/** For a thread that only answers queries. Loads nothing else. */
export { instantText } from '../fields.js';
export { accountResource } from '../resources.js';
