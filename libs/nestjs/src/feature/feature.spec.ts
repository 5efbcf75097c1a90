import { expect, it } from '@jest/globals';
import { importFeature } from './feature.js';

const fileWith = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;

it('is the default export of its file, where a thread finds it', async () => {
  const url = fileWith('export default { deciders: [], problems: { lost: { status: 404 } } }');
  expect(await importFeature(url)).toMatchObject({ deciders: [], problems: expect.anything() });
});

it.each([
  ['exported under a name', 'export const bookings = { deciders: [] }'],
  ['exported as nothing', 'export default null'],
  ['something else', 'export default class Bookings {}'],
])('says which file has no feature for a thread: %s', async (_, text) => {
  await expect(importFeature(fileWith(text))).rejects.toThrow(
    /the default export of data:.*: write `export default feature\(/,
  );
});
