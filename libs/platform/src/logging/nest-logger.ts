import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** Nest tells about itself in these contexts; of interest only to those who look for a fault in it. */
const FRAMEWORK_CONTEXTS = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
  'NestMicroservice',
]);

/** Nest's own lines as lines of our log. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...parameters: unknown[]): void {
    const { context } = split(parameters);
    this.write(FRAMEWORK_CONTEXTS.has(context ?? '') ? 'debug' : 'info', message, parameters);
  }

  fatal(message: unknown, ...parameters: unknown[]): void {
    this.write('fatal', message, parameters);
  }

  error(message: unknown, ...parameters: unknown[]): void {
    this.write('error', message, parameters);
  }

  warn(message: unknown, ...parameters: unknown[]): void {
    this.write('warn', message, parameters);
  }

  debug(message: unknown, ...parameters: unknown[]): void {
    this.write('debug', message, parameters);
  }

  verbose(message: unknown, ...parameters: unknown[]): void {
    this.write('trace', message, parameters);
  }

  private write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    parameters: readonly unknown[],
  ): void {
    const { context, details } = split(parameters);
    const fields = { context, ...(details.length === 0 ? {} : { details }) };
    if (typeof message === 'string') this.logger[level](fields, message);
    else if (message instanceof Error)
      this.logger[level]({ ...fields, err: message }, message.message);
    else this.logger[level]({ ...fields, message });
  }
}

/** Nest puts the name of the speaker last, and a stack or other details before it. */
function split(parameters: readonly unknown[]): {
  context: string | undefined;
  details: unknown[];
} {
  const last = parameters.at(-1);
  if (typeof last !== 'string') return { context: undefined, details: [...parameters] };
  return { context: last, details: parameters.slice(0, -1).filter((one) => one !== undefined) };
}
