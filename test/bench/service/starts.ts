import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { assert } from '@holdfast/kernel';
import { bareEnvironment } from '../../support/bare-environment.js';
import type { Application, Services } from '../../support/services.js';
import { processorMillis } from './processor-time.js';

export interface Start {
  readonly millis: number;
  readonly processorMillis: number;
}

/** From the start of the process until it says that it is ready, as a container is asked. */
export async function startOf(services: Services, application: Application): Promise<Start> {
  const startedAt = performance.now();
  const { pid } = await services.start(application);
  return { millis: performance.now() - startedAt, processorMillis: processorMillis(pid) };
}

/** Says at its end what it has used. */
const REPORT = `data:text/javascript,process.on('exit',()=>process.stderr.write('processor '+JSON.stringify(process.cpuUsage())))`;

/** Of `holdfast health`, asking a service that is ready. */
export async function healthProcessorMillis(services: Services): Promise<number> {
  const given = ['--import', REPORT, services.program('cli'), 'health', services.commands];
  const { stderr } = await promisify(execFile)(process.execPath, given, { env: bareEnvironment() });
  const usage = /processor (\{.*\})/.exec(stderr)?.[1];
  assert(usage !== undefined, `the process says what it has used: ${stderr}`);
  const { user, system } = JSON.parse(usage) as NodeJS.CpuUsage;
  return (user + system) / 1_000;
}
