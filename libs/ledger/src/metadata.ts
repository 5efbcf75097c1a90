import { METADATA_KEYS_MAX, type Metadata, type MetadataPatch } from './fields.js';
import { type Refusal, refuse } from './verdict.js';

/** The metadata after a patch: null removes, text sets, the rest stays, in a new object. (RFC 7396 on flat text.) */
export function patched(metadata: Metadata, patch: MetadataPatch): Metadata {
  const entries = new Map(Object.entries(metadata));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
  return Object.fromEntries(entries);
}

/** Depends on what was there before, so it is a refusal that uses the key up, and no fault of the request's form. */
export function refuseMetadataKeys(metadata: Metadata): Refusal | undefined {
  const keys = Object.keys(metadata).length;
  if (keys <= METADATA_KEYS_MAX) return undefined;
  return refuse('metadata-keys-exceeded', { keys, keysMax: METADATA_KEYS_MAX });
}

export function isEmpty(metadata: Metadata): boolean {
  for (const key in metadata) if (Object.hasOwn(metadata, key)) return false;
  return true;
}
