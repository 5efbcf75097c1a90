import { type JobFlags, runJob } from '../admin/run-job.js';
import type { CliExit } from '../exit-code.js';
import { bytesText, countText } from '../terminal/quantities.js';
import type { Terminal } from '../terminal/terminal.js';

export interface CompactFlags extends JobFlags {
  readonly dryRun?: boolean;
}

type Report = Readonly<Record<string, unknown>>;

/** Rewrites sealed segments without what the books can do without; with `dryRun`, only counts it. */
export function compact(flags: CompactFlags, terminal: Terminal): Promise<CliExit> {
  const { dryRun = false } = flags;
  return runJob(
    flags,
    {
      path: '/admin/compactions',
      body: { dryRun },
      title: dryRun ? 'Counting' : 'Compacting',
      lines: dryRun ? planned : done,
    },
    terminal,
  );
}

function planned(report: Report): string[] {
  const { below, examinedEvents, dispensableEvents, dispensableBytes } = report;
  return [
    `Of ${countText(Number(examinedEvents))} live events below position ${String(below)}, ${countText(Number(dispensableEvents))} with ${bytesText(Number(dispensableBytes))} could go:`,
    `  ${figuresText(report['expiredRefusals'])}: refusals whose keys have expired,`,
    `  ${figuresText(report['supersededMetadata'])}: changes of metadata whose keys have expired, and which a later event has replaced.`,
    'Nothing was changed.',
  ];
}

function figuresText(figures: unknown): string {
  const { events = 0, bytes = 0 } = figures as {
    readonly events?: number;
    readonly bytes?: number;
  };
  return `${countText(events)} with ${bytesText(bytes)}`;
}

function done({
  below,
  segments,
  rewritten,
  droppedRecords,
  bytesBefore,
  bytesAfter,
}: Report): string[] {
  return [
    `${countText(Number(rewritten))} of ${countText(Number(segments))} segments below position ${String(below)} were rewritten, without ${countText(Number(droppedRecords))} events.`,
    `They took ${bytesText(Number(bytesBefore))} and take ${bytesText(Number(bytesAfter))}.`,
  ];
}
