/** The small door of this room for the files of a domain, which a thread loads too: it loads no Nest. */
export { type Feature, feature } from './feature.js';
export { type ProjectionDefinition, type SqliteProjection, projection } from './projection.js';
