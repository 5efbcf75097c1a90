import { configurationOf, ignoredVariables } from '@holdfast/config';
import { LEDGER_EXIT_CODES } from '@holdfast/ledger-service';
import { configureOrExit, createLogger, runService } from '@holdfast/platform';
import { startProjectionWorker } from './projection-worker.js';

const configuration = configureOrExit(() => configurationOf('projection-worker'));
const { logLevel, stopGraceMillis } = configuration.service;
const logger = createLogger({ service: 'projection-worker', level: logLevel });

await runService((lifecycle) => startProjectionWorker(configuration, logger, lifecycle), {
  logger,
  stopGraceMillis,
  exitCodes: LEDGER_EXIT_CODES,
  ignoredVariables: ignoredVariables(),
});
