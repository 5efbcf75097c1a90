/** The small door of this room: what a thread of queries needs of it, which loads nothing else. */
export { instantText } from '../fields.js';
export { accountResource } from '../resources.js';
