/** The small door of this room: what a thread of queries needs of it, which loads nothing else. */
export { BEFORE_FIRST_POSITION, type Position } from '../event.js';
