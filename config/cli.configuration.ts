import { AdminTokenConfiguration, FloorsConfiguration } from './admin.configuration.js';
import { ClockConfiguration } from './clock.configuration.js';
import { ReadModelPlaceConfiguration } from './read-model.configuration.js';
import { RetentionConfiguration } from './retention.configuration.js';
import { StateConfiguration } from './state.configuration.js';
import { StorageConfiguration } from './storage.configuration.js';
import { AddressVariable, Section } from './variable.js';
import { WalConfiguration } from './wal.configuration.js';

export class ServerConfiguration {
  @AddressVariable('HOLDFAST_URL', {
    default: 'http://127.0.0.1:7400',
    meaning: 'The service that the command line tool talks to.',
  })
  readonly url!: string;
}

export class AdminServerConfiguration {
  @AddressVariable('HOLDFAST_ADMIN_URL', {
    default: 'http://127.0.0.1:7404',
    meaning: 'The admin API that the command line tool talks to.',
  })
  readonly url!: string;

  @Section(() => AdminTokenConfiguration)
  readonly access!: AdminTokenConfiguration;
}

/** `apps/cli`: the operator's tool. Its options override these. */
export class CliConfiguration {
  @Section(() => ServerConfiguration)
  readonly server!: ServerConfiguration;

  @Section(() => AdminServerConfiguration)
  readonly admin!: AdminServerConfiguration;

  @Section(() => StorageConfiguration)
  readonly storage!: StorageConfiguration;

  /* With `--data` the tool opens the log as the service would, by the same variables. */

  @Section(() => WalConfiguration)
  readonly wal!: WalConfiguration;

  @Section(() => StateConfiguration)
  readonly state!: StateConfiguration;

  @Section(() => ClockConfiguration)
  readonly clock!: ClockConfiguration;

  @Section(() => FloorsConfiguration)
  readonly floors!: FloorsConfiguration;

  @Section(() => RetentionConfiguration)
  readonly retention!: RetentionConfiguration;

  @Section(() => ReadModelPlaceConfiguration)
  readonly readModelPlace!: ReadModelPlaceConfiguration;
}
