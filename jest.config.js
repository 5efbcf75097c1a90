import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Half of a thread's start is taking the types out of what it runs, and some tests start hundreds of threads. Node keeps the result here.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/node', import.meta.url),
);

/** The entries of the libraries, as the compiler knows them. */
const { paths } = JSON.parse(
  readFileSync(new URL('tsconfig.json', import.meta.url), 'utf8'),
).compilerOptions;
const entries = Object.fromEntries(
  Object.entries(paths).map(([name, [file]]) => [`^${name}$`, file.replace('.', '<rootDir>')]),
);

/**
 * Unit tests beside their files, end-to-end and crash tests under test/; all of them as ES modules through swc. What takes more than some seconds is a
 * `.long-spec.ts`: `npm test` is what a newcomer waits for.
 */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    ...entries,
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: false,
          },
          target: 'es2023',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/examples/[^/]+/dist/'],
};

/** @param {string} displayName @param {string[]} testMatch */
const project = (displayName, testMatch) => ({ ...common, displayName, testMatch });

export default {
  maxWorkers: 2,
  // Jest's half second is a leak's: a worker's `exit` comes within milliseconds, but giving half a gigabyte back takes the system longer than that.
  workerGracefulExitTimeout: 10_000,
  testTimeout: 60_000,
  projects: [
    project('unit', [
      '<rootDir>/libs/**/*.spec.ts',
      '<rootDir>/config/**/*.spec.ts',
      '<rootDir>/examples/**/*.spec.ts',
      '<rootDir>/apps/**/*.spec.ts',
      '<rootDir>/test/guides/*.spec.ts',
      '<rootDir>/test/containers/*.spec.ts',
      '<rootDir>/test/packages/*.spec.ts',
      '<rootDir>/test/crash/**/*.spec.ts',
    ]),
    project('compat', ['<rootDir>/test/compat/**/*.spec.ts']),
    project('e2e', ['<rootDir>/test/e2e/*.e2e-spec.ts']),
    project('long', [
      '<rootDir>/{libs,apps}/**/*.long-spec.ts',
      '<rootDir>/test/guides/*.long-spec.ts',
      '<rootDir>/test/e2e/long/*.e2e-spec.ts',
    ]),
    project('packages', ['<rootDir>/test/packages/*.packages-spec.ts']),
    project('crash', ['<rootDir>/test/crash/**/*.crash-spec.ts']),
  ],
};
