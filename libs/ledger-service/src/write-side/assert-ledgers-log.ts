import { EventLogReader, type RecordedEvent } from '@holdfast/event-store';
import { CodedError } from '@holdfast/kernel';
import { ledgerEventSchemas } from '@holdfast/ledger';

/** So many events say whose log it is. */
const FIRST_EVENTS = 100;
/** Which every service has that is made with `@holdfast/commands`. */
const OF_ANYBODY = new Set(['CommandRejected', 'CommandUnchanged']);
const OF_LEDGERS = new Set(ledgerEventSchemas.map(({ type }) => type));

/**
 * Throws `LEDGER_EVENT_UNKNOWN` for the log of another service, and changes nothing. Opened as the log of a ledger it would be refused too, but only after the state that its own service has made
 * of it was given up. A log of which nothing can be told is left to whoever opens it.
 */
export async function assertLedgersLog(walDirectory: string): Promise<void> {
  const first = (await firstEvents(walDirectory)).filter(({ type }) => !OF_ANYBODY.has(type));
  const [one] = first;
  if (one === undefined || first.some(({ type }) => OF_LEDGERS.has(type))) return;
  const { position, stream, type, schemaVersion } = one;
  throw new CodedError(
    'LEDGER_EVENT_UNKNOWN',
    `the log in ${walDirectory} is not one of a ledger: the event at position ${position} is ${type}, in the stream ${stream}. The service that wrote it takes care of it; nothing was changed`,
    { path: walDirectory, position, stream, type, schemaVersion },
  );
}

async function firstEvents(walDirectory: string): Promise<readonly RecordedEvent[]> {
  try {
    const reader = await EventLogReader.open(walDirectory);
    try {
      for await (const { events } of reader.readAll({ batchEvents: FIRST_EVENTS })) return events;
      return [];
    } finally {
      await reader.close();
    }
  } catch {
    // It is not there, or cannot be read: whoever opens it says so.
    return [];
  }
}
