import {
  type DataDirectories,
  type FloorLimits,
  LogOperations,
  type OperatedService,
  type RetentionSettings,
  type ScrubSettings,
} from '@holdfast/operations';
import {
  type HttpApplication,
  type Logger,
  ServiceLifecycle,
  createLogger,
} from '@holdfast/platform';
import { startFailed } from '@holdfast/nestjs/process';
import { FeedConsumers } from '@holdfast/projections';
import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type StartAdminOptions, startAdmin } from './start-admin.js';
import type { ObservedWriter } from './telemetry/observe-writer.js';

export interface OperationsOptions {
  /** Open. Whoever has opened it closes it in `onApplicationShutdown` or later, when this module has stopped. */
  readonly writer: ObservedWriter;
  /** Its model; its read model, and what compaction may drop, if any. */
  readonly service: OperatedService;
  readonly directories: DataDirectories;
  /** Where the API is served, and to whom. Without a token: on loopback, to programs of this machine. */
  readonly admin: StartAdminOptions['admin'];
  /** Who reads a feed that was given consumers of its own. Read models of `ProjectionsModule`, and whoever else reads the log in this process, keep what they need in any case. */
  readonly consumers?: FeedConsumers;
  /** When a consumer counts as far behind; never when left out. */
  readonly floors?: FloorLimits;
  /** `keep-all` when left out. */
  readonly retention?: RetentionSettings;
  /** The log is not scrubbed when left out. */
  readonly scrub?: ScrubSettings;
  /** Below it backups may be made; anywhere when left out. */
  readonly backupDirectory?: string;
  /** Lines of JSON on standard output when left out. */
  readonly logger?: Logger;
}

export interface AsyncOperationsOptions extends Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...injected: never[]) => OperationsOptions | Promise<OperationsOptions>;
}

const OPTIONS = Symbol('what is operated');
const STOP_MILLIS_MAX = 10_000;

/**
 * Everything for the operator of a service, on a port of its own: the API for the care of the log (`/admin`), health (`/health`) and metrics (`/metrics`). The service itself may be of any kind: its own
 * HTTP server, its logger and its routes stay as they are.
 *
 * The API answers once the application has started. Its work on the log ends in `beforeApplicationShutdown`.
 */
@Module({})
export class OperationsModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private application: HttpApplication | undefined;

  constructor(@Inject(OPTIONS) private readonly options: OperationsOptions) {}

  static forRoot(options: OperationsOptions): DynamicModule {
    return OperationsModule.forRootAsync({ useFactory: () => options });
  }

  static forRootAsync({ imports, inject, useFactory }: AsyncOperationsOptions): DynamicModule {
    const useOptions = useFactory as FactoryProvider['useFactory'];
    return {
      module: OperationsModule,
      ...(imports && { imports }),
      providers: [{ provide: OPTIONS, ...(inject && { inject }), useFactory: useOptions }],
    };
  }

  /** Where the API is served, once the application has started. */
  async url(): Promise<string | undefined> {
    return this.application?.nest.getUrl();
  }

  /** Throws `OPERATIONS_INVALID_OPTION`, `ADMIN_TOKEN_MISSING`, `ADMIN_TOKEN_INVALID`, `PORT_IN_USE`, `PORT_UNUSABLE`. */
  async onApplicationBootstrap(): Promise<void> {
    try {
      this.application = await this.started();
    } catch (error) {
      startFailed(error);
      throw error;
    }
  }

  private async started(): Promise<HttpApplication> {
    const { writer, scrub, retention, ...options } = this.options;
    const { consumers = FeedConsumers.of(writer.log), logger = createLogger(LOGGED) } = options;
    const { floors = NEVER_FAR_BEHIND } = options;
    const operations = new LogOperations({
      ...{ log: writer.log, consumers, logger, floors },
      ...(retention && { retention }),
    });
    try {
      return await startAdmin({
        ...{ ...options, operations, logger, lifecycle: new ServiceLifecycle() },
        observed: { writer, consumers, scrub, operations },
        isGuest: true,
      });
    } catch (error) {
      await operations.stop();
      throw error;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.application?.stop(STOP_MILLIS_MAX);
  }
}

const LOGGED = { service: 'operations', level: 'info' } as const;
const NEVER_FAR_BEHIND: FloorLimits = { behindEventsMax: 0, behindBytesMax: 0 };
