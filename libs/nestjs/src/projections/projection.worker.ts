import { Upcasters } from '@holdfast/event-store/following';
import { assert } from '@holdfast/kernel';
import type { BadEventPolicy, ReportTarget } from '@holdfast/projections';
import {
  DirectoryFeed,
  SqliteReadModelStore,
  followForMain,
  rebuildForMain,
  rebuildProjection,
} from '@holdfast/projections/following';
import { workerData } from 'node:worker_threads';
import { importFeature, modelOf } from '../feature/feature.js';
import { followHere } from './follow-here.js';

/** Reads the log's files as a process of its own would. Knows the features by their files: events of all of them are read in their present version. */

export interface ProjectionThreadData {
  /** Of every feature. */
  readonly urls: readonly string[];
  readonly name: string;
  readonly walDirectory: string;
  /** None when left out. */
  readonly archiveDirectory?: string | undefined;
  readonly readModelDirectory: string;
  readonly badEvents?: BadEventPolicy | undefined;
  /** Fresh tables are filled, and nothing is followed. Default false. */
  readonly rebuilds?: boolean;
}

const { urls, name, walDirectory, archiveDirectory, readModelDirectory, badEvents, rebuilds } =
  workerData as ProjectionThreadData;
const features = await Promise.all(urls.map(importFeature));
const projection = features
  .flatMap(({ projections = [] }) => projections)
  .find((one) => one.name === name);
assert(projection !== undefined, `a default export of ${urls.join(', ')} has ${name}`);
const upcasters = new Upcasters(modelOf(features).schemas);

const feedWith = (report: ReportTarget) =>
  new DirectoryFeed(walDirectory, {
    ...{ upcasters, report },
    ...(archiveDirectory !== undefined && { archiveDirectory }),
  });

if (rebuilds === true)
  rebuildForMain(async ({ report, ...told }) => {
    const feed = feedWith(report);
    const store = SqliteReadModelStore.open({ directory: readModelDirectory, projection });
    try {
      return await rebuildProjection({ feed, store, ...told });
    } finally {
      await feed.close();
      await store.close();
    }
  });
else
  followForMain(({ onFailure, report }) =>
    followHere(projection, readModelDirectory, feedWith(report), {
      ...{ badEvents, upcasters, onFailure },
    }),
  );
