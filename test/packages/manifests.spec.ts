import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, object>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
const root = read('package.json');
const packages = globSync('libs/*/package.json').map((path) => ({
  folder: dirname(path),
  manifest: read(path),
}));
const internal = ({ dependencies = {} }: Manifest) =>
  Object.keys(dependencies).filter((name) => name.startsWith('@holdfast/'));

const { paths } = (
  JSON.parse(readFileSync('tsconfig.json', 'utf8')) as {
    readonly compilerOptions: { readonly paths: Readonly<Record<string, readonly string[]>> };
  }
).compilerOptions;

/** The kits of tests that users get; those of the other libraries know their insides. */
const TEST_KITS = ['@holdfast/commands/testing', '@holdfast/nestjs/testing'];

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

  it('exports the entries that this project itself goes by', () => {
    const names = Object.keys(paths).filter(
      (name) =>
        (name === manifest.name || name.startsWith(`${manifest.name}/`)) &&
        (TEST_KITS.includes(name) || !name.endsWith('/testing')),
    );
    const entry = (folder: string) => ({
      types: `./dist/${folder}index.d.ts`,
      default: `./dist/${folder}index.js`,
    });
    expect(manifest.exports).toEqual({
      './package.json': './package.json',
      ...Object.fromEntries(
        names
          .map((name) => name.slice(manifest.name.length + 1))
          .map((door) => [door === '' ? '.' : `./${door}`, entry(door === '' ? '' : `${door}/`)]),
      ),
    });
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

it("the operator's API has what its description and its page are made of", () => {
  const { peerDependencies, peerDependenciesMeta } = read('libs/administration/package.json');
  expect(Object.keys(peerDependencies ?? {})).toEqual(
    expect.arrayContaining(['@nestjs/swagger', 'swagger-ui-dist']),
  );
  expect(peerDependenciesMeta).toBeUndefined();
});

it('nothing compiled stands below libs, or the services would import it in place of what they are built of', () => {
  expect(globSync('libs/*/dist')).toEqual([]);
});
