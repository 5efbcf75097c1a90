/** The strong ETag of a version of one resource: `"3"`. Part of recorded answers: it never changes. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

const ETAG_PATTERN = /^"(0|[1-9][0-9]{0,14})"$/;

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
