import { decider, lookup, refuse } from '@holdfast/commands';
import { feature } from '../feature/feature.js';
import { projection } from '../feature/projection.js';

/*
 * The example of this room's specs: parcels that are sent to a town and handed over.
 */

export type ParcelEvent =
  | { type: 'ParcelSent'; data: { town: string; grams: number } }
  | { type: 'ParcelHandedOver'; data: { to: string } };
export type ParcelCommand =
  | { type: 'SendParcel'; parcel: string; town: string; grams: number }
  | { type: 'HandOver'; parcel: string; to: string }
  | { type: 'WeighAgain'; parcel: string };
type Parcel = { town: string; to: string | null } | null;

export const parcelsOfTown = lookup<number, ParcelEvent>({
  name: 'parcels-of-town',
  initial: 0,
  on: { ParcelSent: ({ data: { town } }) => [[town, (count) => count + 1]] },
});

export const parcel = decider<Parcel, ParcelCommand, ParcelEvent>({
  name: 'parcel',
  initial: null,
  idOf: (command) => command.parcel,
  keyless: ['HandOver'],
  decide: {
    SendParcel: ({ town, grams }, state, { read }) => {
      if (state !== null) return refuse('parcel-sent', { status: 'sent', town: state.town });
      if (read(parcelsOfTown, town) >= 2) return refuse('town-full', { town });
      return { type: 'ParcelSent', data: { town, grams } };
    },
    HandOver: ({ to }, state) => {
      if (state === null) return refuse('parcel-not-found');
      return state.to === to ? [] : { type: 'ParcelHandedOver', data: { to } };
    },
    WeighAgain: () => {
      throw new Error('the scales are broken');
    },
  },
  evolve: {
    ParcelSent: (_, { town }) => ({ town, to: null }),
    ParcelHandedOver: (state, { to }) => state && { ...state, to },
  },
});

export const shelf = projection<ParcelEvent>({
  name: 'shelf',
  version: 1,
  tables: [
    'CREATE TABLE parcels (id TEXT PRIMARY KEY, town TEXT NOT NULL, grams INTEGER NOT NULL) STRICT',
  ],
  on: {
    ParcelSent: ({ id, data: { town, grams } }, tables) =>
      tables.prepare('INSERT INTO parcels VALUES (?, ?, ?)').run(id, town, grams),
    ParcelHandedOver: ({ id }, tables) =>
      tables.prepare('DELETE FROM parcels WHERE id = ?').run(id),
  },
});

export const parcels = feature({
  deciders: [parcel],
  lookups: [parcelsOfTown],
  projections: [shelf],
  problems: {
    'parcel-not-found': { status: 404, title: 'There is no such parcel' },
    'parcel-sent': {
      status: 409,
      title: 'The parcel was sent already',
      detail: (of) => `It is ${of('status')} in ${of('town')}.`,
    },
  },
});
