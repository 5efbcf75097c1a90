import { configurationOf, ignoredVariables } from '@holdfast/config';
import { LEDGER_EXIT_CODES } from '@holdfast/ledger-service';
import { configureOrExit, createLogger, runService } from '@holdfast/platform';
import { startHoldfast } from './holdfast.js';
import { welcome } from './welcome.js';

const configuration = configureOrExit(() => configurationOf('holdfast'));
const { service, storage } = configuration;
const logger = createLogger({ service: 'holdfast', level: service.logLevel });

await runService(
  async (lifecycle) => {
    const started = await startHoldfast(configuration, logger, lifecycle);
    const { url } = started;
    logger.info({ url }, 'serving commands and queries');
    // For people only: what collects standard error as a log gets no banner between its lines.
    if (process.stderr.isTTY) process.stderr.write(welcome(url, storage.dataDirectory));
    return started.service;
  },
  {
    logger,
    stopGraceMillis: service.stopGraceMillis,
    exitCodes: LEDGER_EXIT_CODES,
    ignoredVariables: ignoredVariables(),
  },
);
