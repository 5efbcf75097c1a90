import { hash } from 'node:crypto';

/** The strong ETag of a version of one resource: `"3"`. Part of recorded answers: it never changes. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

const DIGEST_CHARACTERS = 16;

/**
 * The strong ETag of what a query shows: `"3-c0ffee0123456789"`, the version and SHA-256 of the body, cut. After a restore a version is given a second
 * time, to something else: so whether a client's copy still holds is decided by content.
 */
export function shownEtagOf(version: number, body: Uint8Array): string {
  return `"${version}-${hash('sha256', body, 'hex').slice(0, DIGEST_CHARACTERS)}"`;
}

const ETAG_PATTERN = /^"(0|[1-9][0-9]{0,14})(?:-[0-9a-f]{16})?"$/;

/**
 * The version that an `If-Match` names: `any` for `*`, undefined for what no resource of this service ever had as its ETag (a
 * weak one, a list, free text).
 */
export function versionOfEtag(ifMatch: string): number | 'any' | undefined {
  const value = ifMatch.trim();
  if (value === '*') return 'any';
  const version = ETAG_PATTERN.exec(value)?.[1];
  return version === undefined ? undefined : Number(version);
}
