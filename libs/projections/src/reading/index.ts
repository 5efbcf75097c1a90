/** The small door of this room: what a thread of queries needs of it, which loads nothing else. */
export {
  type ReadModelSnapshot,
  SqliteReadModel,
  type SqliteReadModelOptions,
} from '../store/sqlite/sqlite-read-model.js';
