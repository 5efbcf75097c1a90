import { configurationOf, ignoredVariables } from '@holdfast/config';
import { LEDGER_EXIT_CODES } from '@holdfast/ledger-service';
import { configureOrExit, createLogger, runService } from '@holdfast/platform';
import { startQueryService } from './query-service.js';

const configuration = configureOrExit(() => configurationOf('query-service'));
const { logLevel, stopGraceMillis } = configuration.service;
const logger = createLogger({ service: 'query-service', level: logLevel });

await runService((lifecycle) => startQueryService(configuration, logger, lifecycle), {
  logger,
  stopGraceMillis,
  exitCodes: LEDGER_EXIT_CODES,
  ignoredVariables: ignoredVariables(),
});
