import { Metrics, createLogger } from '@holdfast/platform';
import { describe, expect, it } from '@jest/globals';
import { tellRecovery } from './observe-integrity.js';

describe('what recovery did when the log was opened', () => {
  it('is told in the log, what is out of the ordinary as a warning, and counted by its kind', async () => {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
    const logger = createLogger({ service: 'test', level: 'info', destination: { write } });
    const metrics = new Metrics();
    const tail = { kind: 'torn-tail', file: 'a.wal', from: 1, to: 2, copy: 'q' } as const;
    tellRecovery([tail, { kind: 'removed', file: 'next-1.tmp' }], logger, metrics);
    expect(lines).toEqual([
      expect.objectContaining({ level: 'warn', ...tail }),
      expect.objectContaining({ level: 'info', kind: 'removed', file: 'next-1.tmp' }),
    ]);
    const figures = await metrics.registry.getSingleMetricAsString('holdfast_wal_recovered_total');
    expect(figures.split('\n').slice(2).sort()).toEqual([
      'holdfast_wal_recovered_total{kind="header-copy-repaired"} 0',
      'holdfast_wal_recovered_total{kind="removed"} 1',
      'holdfast_wal_recovered_total{kind="rewritten"} 0',
      'holdfast_wal_recovered_total{kind="torn-tail"} 1',
    ]);
  });
});
