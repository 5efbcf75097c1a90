import type { EventSchema, RecordedEvent } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';
import {
  LEDGER_SCHEMA_VERSION,
  type LedgerEventType,
  type RecordedLedgerEvent,
} from './ledger.events.js';

/** Every type of this room, and thereby what the type-checker holds the list to. */
const LEDGER_EVENT_TYPES: Readonly<Record<LedgerEventType, true>> = {
  LedgerOpened: true,
  AssetRegistered: true,
  AccountOpened: true,
  AccountPolicyChanged: true,
  AccountStatusChanged: true,
  TransferPosted: true,
  MetadataChanged: true,
  CommandRejected: true,
  CommandUnchanged: true,
};

/** For the log's upcasters: the versions that this program reads and writes. */
export const ledgerEventSchemas: readonly EventSchema[] = Object.keys(LEDGER_EVENT_TYPES).map(
  (type) => ({ type, schemaVersion: LEDGER_SCHEMA_VERSION }),
);

/**
 * The event as one of ours. Its data was made by `decide` and came through the log's checksum, so only its name
 * and version are looked at. Throws `LEDGER_EVENT_UNKNOWN` for what a newer program, or another one, has written: to skip
 * it would be to forget money.
 */
export function ledgerEventOf(event: RecordedEvent): RecordedLedgerEvent {
  if (
    Object.hasOwn(LEDGER_EVENT_TYPES, event.type) &&
    event.schemaVersion === LEDGER_SCHEMA_VERSION
  )
    return event as RecordedLedgerEvent;
  throw new CodedError(
    'LEDGER_EVENT_UNKNOWN',
    `the event at position ${event.position} is ${event.type} version ${event.schemaVersion}, which this program does not know`,
    { position: event.position, type: event.type, schemaVersion: event.schemaVersion },
  );
}
