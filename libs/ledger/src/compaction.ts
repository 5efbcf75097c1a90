import type { CommandEventMetadata } from '@holdfast/commands';
import { KEY_RETENTION_MILLIS_DEFAULT } from '@holdfast/commands/reading';
import type { LedgerEventType } from './ledger.events.js';

/** What the decision needs of an event; everything but its type is asked for only where the type alone does not decide. */
export interface CompactableEvent {
  readonly type: string;
  readonly stream: string;
  readonly version: number;
  readonly recordedAtMillis: number;
  readonly metadata: object;
}

/** What is true of the log for the whole of one compaction, and stays true after any crash. */
export interface CompactionPresent {
  /** A time that the log has come to: that of a durable event. */
  readonly nowMillis: number;
  /** Whether another event follows this version of the stream below the bound of the compaction. It may have been dropped before: then one behind it was not. */
  readonly isFollowed: (stream: string, version: number) => boolean;
}

/** Why the books can do without an event for ever. */
export type DispensableReason = 'expiredRefusals' | 'supersededMetadata';

const REFUSAL: LedgerEventType = 'CommandRejected';
const METADATA_CHANGE: LedgerEventType = 'MetadataChanged';

/**
 * Why the books can do without an event for ever, or undefined: then it stays. Everything stays that is younger than its key is to be known at the least; of the rest
 *
 * - a refusal may go once another follows it below the bound: it moved no money, and nothing else refers to it;
 * - a change of metadata alone may go once another event of the same account or transfer follows it below the bound: that one carries all the metadata there is then, and the account
 *   whole. So state and read model are the same with and without the first, at every position from the bound on.
 *
 * The last event of a stream below the bound always stays, and with it the version that the next one follows. Without it a state that is made anew would count the stream from 1 again, and
 * contradict what an archive or a backup still has of it.
 *
 * With the event its key is forgotten: the same request would be decided again, which posts nothing twice, for a transfer is never dispensable.
 *
 * What is lost is history: what the metadata was in between, and who changed it when. Everything else stays: money, accounts, policies, statuses.
 *
 * Once true it stays true: time along a log never goes back, and what follows an event in its stream follows it for ever.
 */
export function dispensableAs(
  event: CompactableEvent,
  { nowMillis, isFollowed }: CompactionPresent,
): DispensableReason | undefined {
  const isOver = (): boolean =>
    isKeyForgotten(event, nowMillis) && isFollowed(event.stream, event.version);
  switch (event.type) {
    case REFUSAL:
      return isOver() ? 'expiredRefusals' : undefined;
    case METADATA_CHANGE:
      return isOver() ? 'supersededMetadata' : undefined;
    default:
      return undefined;
  }
}

function isKeyForgotten(event: CompactableEvent, nowMillis: number): boolean {
  const { keyRetentionMillis = KEY_RETENTION_MILLIS_DEFAULT } =
    event.metadata as CommandEventMetadata;
  return event.recordedAtMillis + keyRetentionMillis <= nowMillis;
}
