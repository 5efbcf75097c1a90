import { configurationOf, ignoredVariables } from '@holdfast/config';
import { LEDGER_EXIT_CODES } from '@holdfast/ledger-service/commands';
import { configureOrExit, createLogger, runService } from '@holdfast/platform';
import { startCommandService } from './command-service.js';

const configuration = configureOrExit(() => configurationOf('command-service'));
const { logLevel, stopGraceMillis } = configuration.service;
const logger = createLogger({ service: 'command-service', level: logLevel });

await runService((lifecycle) => startCommandService(configuration, logger, lifecycle), {
  logger,
  stopGraceMillis,
  exitCodes: LEDGER_EXIT_CODES,
  ignoredVariables: ignoredVariables(),
});
