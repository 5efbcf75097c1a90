import { EventView, type Position } from '@holdfast/event-store';
import { CodedError, errorMessage } from '@holdfast/kernel';
import { type DumpedFrame, type Sequence, WalReader, type WalRecord } from '@holdfast/wal';
import { basename } from 'node:path';
import { CliExit } from '../exit-code.js';
import { bytesText } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface WalDumpOptions {
  /** The first sequence shown. */
  readonly from?: number;
  /** The last one. */
  readonly to?: number;
  /** Most records shown. */
  readonly limit?: number;
  readonly json?: boolean;
}

/** A record that is no event is shown as bytes, so many of them: a log can hold anything. */
const BYTES_SHOWN_MAX = 256;

/**
 * The log as it stands on disk: each frame with its place, each record with the event in it. Damage ends it with the
 * log's own error, after everything before it was shown.
 */
export async function walDump(
  directory: string,
  { from = 1, to, limit = Infinity, json }: WalDumpOptions,
  terminal: Terminal,
): Promise<CliExit> {
  const reader = await WalReader.open(directory);
  try {
    const range = {
      after: (from - 1) as Sequence,
      ...(to === undefined ? undefined : { upTo: to as Sequence }),
    };
    const show = json === true ? showJson : showText;
    let left = limit;
    for (const frame of reader.frames(range)) {
      if (left <= 0 || !terminal.isRead) break;
      const records = frame.records
        .filter(({ sequence }) => sequence >= from && sequence <= (to ?? Infinity))
        .slice(0, left);
      left -= records.length;
      await show(frame, records, terminal);
    }
    return CliExit.OK;
  } finally {
    await reader.close();
  }
}

async function showJson(
  frame: DumpedFrame,
  records: readonly WalRecord[],
  terminal: Terminal,
): Promise<void> {
  await terminal.json({
    kind: 'frame',
    file: basename(frame.file),
    offset: frame.offset,
    bodyBytes: frame.bodyBytes,
    firstSequence: frame.firstSequence,
    lastSequence: frame.lastSequence,
    recordCount: frame.recordCount,
    durableSequence: frame.durableSequence,
    writtenAt: instantText(frame.writtenAtMicros / 1_000),
    headerCrc: frame.headerCrc,
    bodyCrc: frame.bodyCrc,
  });
  for (const record of records) await terminal.json(describe(record));
}

async function showText(
  frame: DumpedFrame,
  records: readonly WalRecord[],
  terminal: Terminal,
): Promise<void> {
  const sequences =
    frame.recordCount === 0
      ? `durable ${frame.durableSequence}`
      : `sequences ${frame.firstSequence} to ${frame.lastSequence}`;
  await terminal.line(
    `frame ${basename(frame.file)} @${frame.offset}  ${sequences}  ${bytesText(frame.bodyBytes)}  ${instantText(frame.writtenAtMicros / 1_000)}`,
  );
  for (const record of records) {
    const described = describe(record);
    if (described.kind === 'event') {
      const { event } = described;
      await terminal.line(
        `  ${event.position}${event.endsCommit ? '.' : ' '} ${event.type} v${event.schemaVersion}  ${event.stream} #${event.version}  ${instantText(event.recordedAtMillis)}`,
      );
      await terminal.line(`      ${JSON.stringify(event.data)}`);
      continue;
    }
    const more = described.bytes > BYTES_SHOWN_MAX ? '…' : '';
    await terminal.line(
      `  ${record.sequence}${record.endsBatch ? '.' : ' '} ${described.bytes} bytes, no event (${described.reason})`,
    );
    await terminal.line(`      ${described.hex}${more}`);
  }
}

function describe(record: WalRecord) {
  try {
    return { kind: 'event' as const, event: eventOf(record) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { sequence, endsBatch, payload } = record;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    return {
      kind: 'record' as const,
      sequence,
      endsBatch,
      bytes: payload.byteLength,
      reason: errorMessage(error),
      hex: bytes.toString('hex', 0, BYTES_SHOWN_MAX),
    };
  }
}

function eventOf({ sequence, payload, endsBatch }: WalRecord) {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  return new EventView()
    .moveTo(sequence as number as Position, bytes, 0, bytes.length, endsBatch)
    .toEvent();
}

function instantText(millis: number): string {
  return new Date(millis).toISOString();
}
