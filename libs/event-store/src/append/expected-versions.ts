import type { StreamVersion } from '../event.js';
import type { Commit, ExpectedVersion, StreamAppend } from '../event-log.js';
import { assertStreamName } from '../codec/event-encoder.js';
import { EventStoreError, invalid } from '../event-store.errors.js';

/** An append whose stream is not where its appender believes it to be. */
export interface VersionConflict {
  readonly append: StreamAppend;
  readonly actual: StreamVersion;
}

/** What was found: the version that each append continues from, or the first conflict. */
export type VersionCheck =
  | { readonly bases: readonly StreamVersion[]; readonly conflict?: undefined }
  | { readonly conflict: VersionConflict };

/**
 * Checks every append of a commit against its stream; several appends to one stream see one another. Throws `EVENT_INVALID` for an expected version that is
 * none, and for a guard of a stream that cannot be.
 */
export function checkVersions(
  { appends }: Commit,
  currentVersion: (stream: string) => StreamVersion,
): VersionCheck {
  const bases = new Array<StreamVersion>(appends.length);
  const within = appends.length > 1 ? new Map<string, StreamVersion>() : undefined;
  for (const [index, append] of appends.entries()) {
    const { stream, expectedVersion, events } = append;
    // Before its version is looked up: what cannot be stored would be looked up under another name.
    if (events.length === 0) assertStreamName(stream);
    const actual = within?.get(stream) ?? currentVersion(stream);
    if (!isAsExpected(expectedVersion, actual)) return { conflict: { append, actual } };
    bases[index] = actual;
    within?.set(stream, (actual + events.length) as StreamVersion);
  }
  return { bases };
}

/** The version that an append was made for, where that is one number; undefined where it is not. */
export function exactVersion(expected: ExpectedVersion): StreamVersion | undefined {
  if (expected === 'no-stream') return 0 as StreamVersion;
  return typeof expected === 'number' ? expected : undefined;
}

export function wrongVersion({ append, actual }: VersionConflict): EventStoreError {
  const { stream, expectedVersion } = append;
  return new EventStoreError(
    'EVENT_WRONG_VERSION',
    `stream ${stream} is at version ${actual}, and ${expectedVersion} was expected; nothing was appended`,
    { stream, expected: expectedVersion, actual },
  );
}

function isAsExpected(expected: ExpectedVersion, actual: StreamVersion): boolean {
  switch (expected) {
    case 'any':
      return true;
    case 'exists':
      return actual > 0;
    case 'no-stream':
      return actual === 0;
    default:
      if (!Number.isInteger(expected) || expected < 0)
        throw invalid(
          `an expected version is a number from 0, any, exists or no-stream, not ${expected}`,
        );
      return actual === expected;
  }
}
