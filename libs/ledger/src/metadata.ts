import type { Metadata, MetadataPatch } from './fields.js';

/** The metadata after a patch: null removes, text sets, the rest stays, in a new object. (RFC 7396 on flat text.) */
export function patched(metadata: Metadata, patch: MetadataPatch): Metadata {
  const entries = new Map(Object.entries(metadata));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
  return Object.fromEntries(entries);
}

export function isEmpty(metadata: Metadata): boolean {
  for (const key in metadata) if (Object.hasOwn(metadata, key)) return false;
  return true;
}
