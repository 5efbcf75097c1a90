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
import { LedgerReader, type LedgerReaderOptions } from './ledger-reader.js';
import { ListAccountsController } from './list-accounts/list-accounts.controller.js';
import { ListAssetsController } from './list-assets/list-assets.controller.js';
import { ListLedgersController } from './list-ledgers/list-ledgers.controller.js';
import { ListTransfersController } from './list-transfers/list-transfers.controller.js';

export interface LedgerQueriesOptions extends LedgerReaderOptions {
  /** Of `ledgerProjection`. The module closes it when the application is closed. */
  readonly readModel: SqliteReadModel;
  /** Where the log stands, as far as this process can know: for its health to say how far the read model is behind. */
  readonly logPosition?: () => Promise<number | undefined>;
}

const LOG_POSITION = Symbol('where the log stands');

/** The read side over HTTP, its health and its position. */
@Module({})
export class LedgerQueriesModule implements OnApplicationShutdown {
  constructor(
    @Inject(SqliteReadModel) private readonly readModel: SqliteReadModel,
    @Inject(Health) health: Health,
    @Inject(Metrics) metrics: Metrics,
    @Inject(LOG_POSITION) logPosition: () => Promise<number | undefined>,
  ) {
    health.register('read-model', () => {
      // What it throws says why it cannot be read.
      readModel.read(() => undefined);
      return true;
    });
    health.tell('readModelPosition', () => readModel.position);
    health.tell('readModelLagEvents', async () => {
      // The log first: what the read model reaches meanwhile is no lag.
      const position = await logPosition();
      return position === undefined ? undefined : Math.max(0, position - readModel.position);
    });
    metrics.gaugeOf(
      'holdfast_read_model_position',
      'How far the read model that queries see has come.',
      () => readModel.position,
    );
  }

  static forRoot({ readModel, logPosition, ...options }: LedgerQueriesOptions): DynamicModule {
    const { durablePosition } = options;
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
        {
          provide: LOG_POSITION,
          useValue: logPosition ?? (() => Promise.resolve(durablePosition?.())),
        },
        { provide: LedgerReader, useValue: new LedgerReader(readModel, options) },
        QueryInterceptor,
      ],
    };
  }

  onApplicationShutdown(): void {
    this.readModel.close();
  }
}
