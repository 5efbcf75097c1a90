import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
const root = read('package.json');
const packages = globSync('libs/*/package.json').map((path) => ({
  folder: dirname(path),
  manifest: read(path),
}));
const internal = ({ dependencies = {} }: Manifest) =>
  Object.keys(dependencies).filter((name) => name.startsWith('@holdfast/'));

describe.each(packages)('$folder', ({ folder, manifest }) => {
  it('has the version of all of them, and takes the others exactly so', () => {
    expect(manifest.version).toBe(root.version);
    for (const name of internal(manifest))
      expect([name, manifest.dependencies?.[name]]).toEqual([name, root.version]);
  });

  it('takes what comes from elsewhere as the services do', () => {
    const ranges = { ...root.devDependencies, ...root.dependencies };
    const external = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies });
    for (const [name, range] of external)
      if (!name.startsWith('@holdfast/')) expect([name, range]).toEqual([name, ranges[name]]);
  });

  it('is compiled after the packages that it depends on, and with all of them', () => {
    const settings = (path: string) =>
      JSON.parse(readFileSync(path, 'utf8')) as {
        readonly references?: readonly { readonly path: string }[];
      };
    const { references = [] } = settings(join(folder, 'tsconfig.package.json'));
    expect(references.map(({ path }) => path).sort()).toEqual(
      internal(manifest)
        .map((name) => name.replace('@holdfast', '..') + '/tsconfig.package.json')
        .sort(),
    );
    expect(settings('tsconfig.packages.json').references).toContainEqual({
      path: `./${folder}/tsconfig.package.json`,
    });
  });
});
