import { configurationOf } from '@holdfast/config';
import { LEDGER_EXIT_CODES } from '@holdfast/ledger-service';
import { configureOrExit, createLogger, runService } from '@holdfast/platform';
import { startHoldfast } from './holdfast.js';
import { welcome } from './welcome.js';

const configuration = configureOrExit(() => configurationOf('holdfast'));
const { service, storage } = configuration;
const logger = createLogger({ service: 'holdfast', level: service.logLevel });

await runService(
  async (lifecycle) => {
    const { application, url } = await startHoldfast(configuration, logger, lifecycle);
    logger.info({ url }, 'serving commands and queries');
    // For people; whoever reads the log by machine has the line before.
    process.stderr.write(welcome(url, storage.dataDirectory));
    return application;
  },
  { logger, stopGraceMillis: service.stopGraceMillis, exitCodes: LEDGER_EXIT_CODES },
);
