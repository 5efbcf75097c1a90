import { WalReader } from '@holdfast/wal';
import { basename } from 'node:path';
import { CliExit } from '../exit-code.js';
import { bytesText, counted } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface WalStatsOptions {
  readonly json?: boolean;
}

/** What a log holds, from its headers: fast on a log of any size, and also while a service writes it. */
export async function walStats(
  directory: string,
  { json }: WalStatsOptions,
  terminal: Terminal,
): Promise<CliExit> {
  const reader = await WalReader.open(directory);
  try {
    const facts = factsOf(reader);
    if (json === true) await terminal.json(facts, 2);
    else await print(facts, terminal);
    return CliExit.OK;
  } finally {
    await reader.close();
  }
}

type LogFacts = ReturnType<typeof factsOf>;

function factsOf(reader: WalReader) {
  const { durableSequence } = reader;
  const segments = reader.segments();
  return {
    logId: reader.logId,
    firstSequence: reader.firstSequence,
    durableSequence,
    records: durableSequence - reader.firstSequence + 1,
    segments: segments.map(({ path, name, header, dataLength }, index) => ({
      file: basename(path),
      segment: name.segment,
      firstSequence: name.firstSequence,
      lastSequence: (segments[index + 1]?.name.firstSequence ?? durableSequence + 1) - 1,
      /** Null for the newest one, which still grows. */
      dataBytes: dataLength ?? null,
      segmentBytes: header.segmentBytes,
      durability: header.durability,
      epoch: header.epoch,
      timeline: header.timeline,
      createdAt: new Date(header.createdMicros / 1_000).toISOString(),
    })),
  };
}

async function print(facts: LogFacts, terminal: Terminal): Promise<void> {
  await terminal.line(`log        ${facts.logId}`);
  await terminal.line(
    `sequences  ${facts.firstSequence} to ${facts.durableSequence}: ${counted(facts.records, 'durable record')}`,
  );
  await terminal.line(`segments   ${facts.segments.length}`);
  await terminal.line();
  await terminal.line(
    'segment    first sequence      last sequence       data        made                      epoch  durability',
  );
  for (const segment of facts.segments) {
    const data = segment.dataBytes === null ? 'growing' : bytesText(segment.dataBytes);
    const cells = [
      String(segment.segment).padEnd(10),
      String(segment.firstSequence).padEnd(19),
      String(segment.lastSequence).padEnd(19),
      data.padEnd(11),
      segment.createdAt.padEnd(25),
      String(segment.epoch).padEnd(6),
      segment.durability,
    ];
    await terminal.line(cells.join(' '));
  }
}
