/** The small door of this room: what whoever keeps or reads a read model needs of it, which loads nothing else. */
export { makeDurableDirectory } from '../durable-directory.js';
export { BEFORE_FIRST_POSITION, type Position } from '../event.js';
