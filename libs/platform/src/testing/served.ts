import { Writable } from 'node:stream';
import type { DynamicModule, Type } from '@nestjs/common';
import {
  type HttpApplication,
  type HttpApplicationOptions,
  createHttpApplication,
} from '../http/http-application.js';
import { type LogLevel, createLogger } from '../logging/logger.js';

export type LogLine = Readonly<Record<string, unknown>>;

/** A logger whose lines are kept, parsed. */
export function recordingLogger(level: LogLevel = 'info') {
  const lines: LogLine[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  return { lines, logger: createLogger({ service: 'test', level, destination }) };
}

export interface Served {
  readonly application: HttpApplication;
  /** `http://127.0.0.1:12345` */
  readonly url: string;
  readonly lines: readonly LogLine[];
}

/** A real server on 127.0.0.1, on a free port unless one is given. */
export async function serve(
  root: Type | DynamicModule,
  options: Omit<HttpApplicationOptions, 'logger'> = {},
  beforeListen: (application: HttpApplication) => void = () => undefined,
  port = 0,
): Promise<Served> {
  const { logger, lines } = recordingLogger();
  const application = await createHttpApplication(root, { ...options, logger });
  beforeListen(application);
  return { application, url: await application.listen(port), lines };
}
