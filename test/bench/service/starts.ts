import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { assert } from '@holdfast/kernel';
import { bareEnvironment } from '../../support/bare-environment.js';
import type { Application, Services } from '../../support/services.js';
import { processorMillis } from './processor-time.js';

/** From the start of the process until it says that it is ready, as a container is asked. */
export async function startProcessorMillis(
  services: Services,
  application: Application,
): Promise<number> {
  const { pid } = await services.start(application);
  return processorMillis(pid);
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
