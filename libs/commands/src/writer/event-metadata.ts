import type { JsonObject } from '@holdfast/event-store';
import type { CommandContext } from '../model/command-context.js';
import { KEY_RETENTION_MILLIS_DEFAULT } from '../keys/key-retention.js';

/** The envelope's metadata of an event that a command has made. What is undefined is left out. */
export type CommandEventMetadata = {
  readonly actor: string;
  /** The idempotency key and its hash, on the first event of a command; only commands that are idempotent by name go without. */
  readonly key?: string;
  readonly bodyHash?: string;
  /** How long compaction leaves the event alone for the sake of its key, where it is not 30 days. */
  readonly keyRetentionMillis?: number;
  /** What the command is answered with, where that is not made from its first event. */
  readonly answer?: JsonObject;
  readonly correlationId?: string;
  readonly causationId?: string;
};

/** Of a command's first event, or (`isFirst` false) of those behind it, which have no key. */
export function metadataOf(context: CommandContext, isFirst: boolean): CommandEventMetadata {
  const { actor, idempotency, correlationId, causationId } = context;
  const attempt =
    idempotency === undefined || !isFirst
      ? { actor }
      : { actor, key: idempotency.key, bodyHash: idempotency.bodyHash, ...keptFor(context) };
  if (correlationId === undefined && causationId === undefined) return attempt;
  return {
    ...attempt,
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
  };
}

/** Recorded where it is not the usual: so how long a key is kept follows from the log alone, and a new configuration holds for new keys. */
function keptFor({
  keyRetentionMillis,
}: CommandContext): Pick<CommandEventMetadata, 'keyRetentionMillis'> | undefined {
  const isUsual =
    keyRetentionMillis === undefined || keyRetentionMillis === KEY_RETENTION_MILLIS_DEFAULT;
  return isUsual ? undefined : { keyRetentionMillis };
}
