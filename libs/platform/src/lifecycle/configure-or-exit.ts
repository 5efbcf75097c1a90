import { errorMessage } from '@holdfast/kernel';
import { ExitCode } from '@holdfast/nestjs/process';
import type { HostProcess } from './host-process.js';

/**
 * What `load` gives; if it throws, its message goes to standard error, for a person, and the process ends with
 * `ExitCode.CONFIGURATION`. For the first line of a service, when there is no logger yet.
 */
export function configureOrExit<Configuration>(
  load: () => Configuration,
  host: HostProcess = process,
): Configuration {
  try {
    return load();
  } catch (error) {
    host.stderr.write(`${errorMessage(error)}\n`);
    host.exit(ExitCode.CONFIGURATION);
    throw error;
  }
}
