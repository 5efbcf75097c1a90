/**
 * How long the event of a key is kept when its command does not say otherwise. Until then compaction leaves it where it is, whatever it is; a key stays
 * known for as long as its event is in the log, so nothing is forgotten because a clock says that it is late.
 */
export const KEY_RETENTION_MILLIS_DEFAULT = 30 * 24 * 60 * 60 * 1_000;
