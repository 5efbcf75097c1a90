import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Health, Metrics } from '@holdfast/platform';
import { SqliteReadModel } from '@holdfast/projections';
import { GetAccountController } from './get-account/get-account.controller.js';
import { GetAssetController } from './get-asset/get-asset.controller.js';
import { GetBalanceController } from './get-balance/get-balance.controller.js';
import { GetLedgerController } from './get-ledger/get-ledger.controller.js';
import { GetStatementController } from './get-statement/get-statement.controller.js';
import { GetTransferController } from './get-transfer/get-transfer.controller.js';
import { GetTrialBalanceController } from './get-trial-balance/get-trial-balance.controller.js';
import { QueryInterceptor } from './http/query.interceptor.js';
import { type QueryAsker, askedHere } from './ledger-queries.js';
import { LedgerReader, type LedgerReaderOptions, type LogSight } from './ledger-reader.js';
import { ListAccountsController } from './list-accounts/list-accounts.controller.js';
import { ListAssetsController } from './list-assets/list-assets.controller.js';
import { ListLedgersController } from './list-ledgers/list-ledgers.controller.js';
import { ListTransfersController } from './list-transfers/list-transfers.controller.js';
import { observeReadModel } from './observe-read-model.js';

export interface LedgerQueriesOptions extends LedgerReaderOptions {
  /** Of `ledgerProjection`. The module closes it when the application is closed. */
  readonly readModel: SqliteReadModel;
  /** Who answers; this thread when left out. The module closes it too. */
  readonly asker?: QueryAsker;
}

const ASKER = Symbol('who answers queries');
const LOG = Symbol('the log that commands go to');

/** The read side over HTTP, its health and its position. */
@Module({})
export class LedgerQueriesModule implements OnApplicationShutdown {
  constructor(
    @Inject(SqliteReadModel) private readonly readModel: SqliteReadModel,
    @Inject(ASKER) private readonly asker: QueryAsker,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
    @Inject(LOG) log: LogSight | undefined,
  ) {
    observeReadModel(readModel, log, health);
    metrics.gaugeOf(
      'holdfast_read_model_position',
      'How far the read model that queries see has come.',
      () => readModel.position,
    );
  }

  static forRoot({
    readModel,
    asker = askedHere(readModel),
    ...options
  }: LedgerQueriesOptions): DynamicModule {
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
        { provide: SqliteReadModel, useValue: readModel },
        { provide: ASKER, useValue: asker },
        { provide: LOG, useValue: options.log },
        { provide: LedgerReader, useValue: new LedgerReader(readModel, asker, options) },
        QueryInterceptor,
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.asker.close();
    this.readModel.close();
  }
}
