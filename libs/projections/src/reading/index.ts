/**
 * For a thread that only queries a read model. Loads nothing else.
 *
 * @module
 */
export {
  type ReadModelSnapshot,
  SqliteReadModel,
  type SqliteReadModelOptions,
} from '../store/sqlite/sqlite-read-model.js';
