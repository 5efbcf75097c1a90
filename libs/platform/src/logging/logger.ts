import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, destination, pino } from 'pino';

import { readableLines } from './readable-lines.js';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** Which process speaks; stands in every line. */
  readonly service: string;
  readonly level: LogLevel;
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
}

/** One JSON object a line, time in ISO 8601, level by name; on a terminal the same for a person. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before a crash are not lost with the process.
    options.destination ?? standardOutput(),
  );
}

function standardOutput(): DestinationStream {
  const output = destination({ dest: 1, sync: true });
  // Not `process.stdout.isTTY`, which a thread does not have.
  return isatty(1) ? readableLines(output) : output;
}
