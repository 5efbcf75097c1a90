import { expect, it } from '@jest/globals';
import { frameEnd, lastSequenceOf } from '../format/frame-decoder.js';
import { parseSegmentName } from '../format/segment-name.js';
import { batchAfter, LOG, openSimulated, SimulatedFileSystem } from '../testing/index.js';
import { FrameScanner } from './frame-scanner.js';
import { inspectSegment } from './segment-file.js';
import { endOfFrameWith, scanTail } from './tail-scan.js';

it('the end of the frame that holds a sequence is found again, also behind many frames', async () => {
  const system = SimulatedFileSystem.on();
  const wal = await openSimulated(system, { segmentBytes: 512 * 1024 });
  while (wal.lastSequence < 600) await wal.append(batchAfter(wal.lastSequence, 3, 500)).durable;
  const name = parseSegmentName(system.list(LOG).find((file) => file.endsWith('.wal'))!)!;
  const { path, header } = inspectSegment(system, LOG, name);
  const file = system.open(path, 'read');
  const scan = scanTail(file, header!);
  expect([scan.lastSequence, scan.index.length > 2]).toEqual([600, true]);
  const scanner = new FrameScanner(file, header!, { limit: scan.validEnd, reuse: true });
  for (const frame of scanner)
    for (let at = frame.header.firstSequence; at <= lastSequenceOf(frame.header); at += 1)
      expect(endOfFrameWith(file, header!, scan, at)).toBe(frameEnd(frame.header));
  expect(() => endOfFrameWith(file, header!, scan, 601)).toThrow('reading');
  file.close();
  await wal.close();
});
