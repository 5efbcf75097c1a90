import { configurationOf } from '@holdfast/config';

/** The service that a command talks to when it is told of none. */
export function defaultUrl(): string {
  return configurationOf('cli').server.url;
}

/** The log that a command looks at when it is told of none. */
export function defaultLog(): string {
  return configurationOf('cli').storage.walDirectory;
}

/** Its archive, where that is configured to be elsewhere. */
export function defaultArchive(): string | undefined {
  const { archive } = configurationOf('cli').storage;
  return archive === '' ? undefined : archive;
}
