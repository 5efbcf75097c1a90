import type { OperatorLog } from '../operator-log.js';

export interface RecordedLine {
  readonly level: keyof OperatorLog;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** An operator's log that keeps its lines. */
export class RecordedLog implements OperatorLog {
  readonly lines: RecordedLine[] = [];

  info(facts: object, msg: string): void {
    this.lines.push({ ...facts, level: 'info', msg });
  }

  warn(facts: object, msg: string): void {
    this.lines.push({ ...facts, level: 'warn', msg });
  }

  error(facts: object, msg: string): void {
    this.lines.push({ ...facts, level: 'error', msg });
  }
}
