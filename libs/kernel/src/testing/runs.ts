const isLongForm = process.env['LONG_FORM'] === '1';

/** How many random cases a test plays: few in `npm test`, many in `npm run test:long`, which runs every test that imports this with LONG_FORM=1. */
export function runs(count: { readonly short: number; readonly long: number }): number {
  return isLongForm ? count.long : count.short;
}
