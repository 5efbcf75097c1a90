import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Health, Metrics } from '@holdfast/platform';
import { GetAccountController } from './get-account/get-account.controller.js';
import { GetAssetController } from './get-asset/get-asset.controller.js';
import { GetBalanceController } from './get-balance/get-balance.controller.js';
import { GetLedgerController } from './get-ledger/get-ledger.controller.js';
import { GetStatementController } from './get-statement/get-statement.controller.js';
import { GetTransferController } from './get-transfer/get-transfer.controller.js';
import { GetTrialBalanceController } from './get-trial-balance/get-trial-balance.controller.js';
import { QueryInterceptor } from './http/query.interceptor.js';
import type { QueryAsker } from './ledger-queries.js';
import { LedgerReader, type LedgerReaderOptions, type LogSight } from './ledger-reader.js';
import { ListAccountsController } from './list-accounts/list-accounts.controller.js';
import { ListAssetsController } from './list-assets/list-assets.controller.js';
import { ListLedgersController } from './list-ledgers/list-ledgers.controller.js';
import { ListTransfersController } from './list-transfers/list-transfers.controller.js';
import { observeReadModel } from './observe-read-model.js';
import { ReadModelSight } from './read-model-sight.js';

export interface LedgerQueriesOptions extends LedgerReaderOptions {
  /** Who answers. The module closes it when the application is closed. */
  readonly asker: QueryAsker;
}

const ASKER = Symbol('who answers queries');
const LOG = Symbol('the log that commands go to');

/** The read side over HTTP, its health and its position. */
@Module({})
export class LedgerQueriesModule implements OnApplicationShutdown {
  constructor(
    @Inject(ReadModelSight) private readonly sight: ReadModelSight,
    @Inject(ASKER) private readonly asker: QueryAsker,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
    @Inject(LOG) log: LogSight | undefined,
  ) {
    observeReadModel(sight, log, health);
    metrics.gaugeOf(
      'holdfast_read_model_position',
      'How far the read model that queries see has come.',
      () => sight.position(),
    );
  }

  static forRoot({ asker, ...options }: LedgerQueriesOptions): DynamicModule {
    const sight = new ReadModelSight(asker);
    return {
      module: LedgerQueriesModule,
      controllers: [
        ListLedgersController,
        GetLedgerController,
        ListAssetsController,
        GetAssetController,
        ListAccountsController,
        GetAccountController,
        GetBalanceController,
        GetStatementController,
        ListTransfersController,
        GetTransferController,
        GetTrialBalanceController,
      ],
      providers: [
        { provide: ReadModelSight, useValue: sight },
        { provide: ASKER, useValue: asker },
        { provide: LOG, useValue: options.log },
        { provide: LedgerReader, useValue: new LedgerReader(sight, asker, options) },
        QueryInterceptor,
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    this.sight.close();
    await this.asker.close();
  }
}
