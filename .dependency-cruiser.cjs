/**
 * The room table of docs/architecture.md, as rules: a file imports only from the rooms that its row names.
 * A room that the table does not name may import nothing, so a new room starts with its row.
 */
const rooms = {
  kernel: [],
  wal: ['kernel'],
  'event-store': ['wal', 'kernel'],
  commands: ['event-store', 'kernel'],
  projections: ['event-store', 'kernel'],
  outlets: ['projections', 'event-store', 'kernel'],
  operations: ['outlets', 'projections', 'event-store', 'wal', 'kernel'],
  ledger: ['commands', 'event-store', 'kernel'],
  // Never the platform, which no package is made of.
  nestjs: ['commands', 'outlets', 'projections', 'event-store', 'wal', 'kernel'],
  platform: ['nestjs', 'kernel'],
  administration: [
    'operations',
    'platform',
    'nestjs',
    'commands',
    'outlets',
    'projections',
    'event-store',
    'wal',
    'kernel',
  ],
  'ledger-service': [
    'ledger',
    'administration',
    'nestjs',
    'operations',
    'commands',
    'outlets',
    'projections',
    'event-store',
    'wal',
    'platform',
    'kernel',
  ],
};

/** The entries of the libraries, as the compiler knows them. */
const entries = Object.values(require('./tsconfig.json').compilerOptions.paths).map(
  ([file]) => `^${file.slice('./'.length).replace('.', '\\.')}$`,
);

const libraryRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `room-${room}`,
  severity: 'error',
  from: { path: `^libs/${room}/` },
  to: { path: '^(libs|apps|config|test)/', pathNot: `^libs/(${[room, ...allowed].join('|')})/` },
}));

/**
 * The folders of a big room, in the order in which they may be imported: a file imports from its own folder, from those named before it, and from the root
 * files in `words`, which import one another only. The other root files are the room's public entry, and so are the `doors`: they may import any folder, and no
 * folder imports them.
 */
const doors = [
  'consuming',
  'maintenance',
  'simulation',
  'testing',
  'reading',
  'following',
  'postgres',
  'before-imports',
];
const folders = {
  wal: {
    words: ['wal.types', 'wal.errors'],
    order: [
      'format',
      'disk',
      'segment',
      'directory',
      'read',
      'write',
      'recovery',
      'care/archive',
      'care/retention',
      'care/compaction',
      'care/backup',
      'care/salvage',
    ],
  },
  'event-store': {
    words: [
      'durable-directory',
      'event',
      'event-log',
      'event-store.errors',
      'state-store',
      'usable-directory',
    ],
    order: [
      'codec',
      'log',
      'index',
      'fold',
      'append',
      'state/model',
      'state/pages',
      'state/database',
      'state/snapshot',
      'state/thread',
      'state/store',
      'state/directory',
      'state/checkpoint',
    ],
  },
  commands: { words: [], order: ['keys', 'model', 'writer', 'deciders'] },
  projections: {
    words: [
      'event-feed',
      'feed.errors',
      'projection',
      'quarantined-commit',
      'read-model-store',
      'read-model.errors',
    ],
    order: [
      'feed',
      'grpc',
      'runner',
      'thread',
      'store/generations',
      'store/sqlite',
      'store/postgres',
    ],
  },
  outlets: {
    words: ['outlet', 'outlet-positions', 'outlet.errors'],
    order: ['store', 'runner', 'webhooks', 'nats'],
  },
  operations: {
    words: ['operator-log'],
    order: [
      'jobs',
      'floors',
      'retention',
      'archive',
      'directories',
      'backup',
      'compaction',
      'scrub',
      'state',
      'projections',
      'timelines',
    ],
  },
  administration: {
    words: ['admin-problems', 'admin-tokens', 'dto-shape'],
    order: [
      'access',
      'jobs',
      'log',
      'state',
      'floors',
      'projections',
      'retention',
      'archive',
      'backup',
      'compaction',
      'clock',
      'telemetry',
    ],
  },
};

const folderRules = Object.entries(folders).flatMap(([room, { words, order }]) => {
  const source = `^libs/${room}/src/`;
  const wordFiles = `(${words.map((word) => word.replace('.', '\\.')).join('|')})\\.ts$`;
  return [
    {
      name: `folder-${room}-words`,
      severity: 'error',
      from: { path: `${source}${wordFiles}` },
      to: { path: source, pathNot: `${source}${wordFiles}` },
    },
    ...order.map((folder, at) => ({
      name: `folder-${room}-${folder}`,
      severity: 'error',
      from: { path: `${source}${folder}/`, pathNot: '[.-]spec\\.ts$|/testing/' },
      to: {
        path: source,
        pathNot: `${source}((${order.slice(0, at + 1).join('|')})/|${wordFiles})`,
      },
    })),
    {
      name: `folder-${room}-unnamed`,
      comment: 'A new folder starts with its place in the order.',
      severity: 'error',
      from: {
        path: `${source}[^/]+/`,
        pathNot: `${source}(${[...order, ...doors].join('|')})/`,
      },
      to: {},
    },
  ];
});

module.exports = {
  forbidden: [
    ...libraryRules,
    ...folderRules,
    {
      name: 'rooms-have-one-door',
      comment:
        'Another room is entered by an entry that tsconfig.json names, never by an inner file.',
      severity: 'error',
      from: { path: '^libs/([^/]+)/|^(apps|config|examples|test)/' },
      to: {
        path: '^libs/([^/]+)/src/',
        pathNot: ['^libs/$1/', ...entries],
      },
    },
    {
      name: 'config-stands-alone',
      severity: 'error',
      from: { path: '^config/' },
      to: { path: '^(libs|apps|test)/', pathNot: '^libs/kernel/' },
    },
    {
      name: 'the-platform-takes-small-doors-only',
      severity: 'error',
      from: { path: '^libs/platform/' },
      to: { path: '^libs/nestjs/src/', pathNot: '^libs/nestjs/src/(http|process)/' },
    },
    {
      name: 'the-ledger-takes-small-doors-only',
      severity: 'error',
      from: { path: '^libs/ledger-service/' },
      to: { path: '^libs/nestjs/src/', pathNot: '^libs/nestjs/src/(events|http|process)/' },
    },
    {
      name: 'examples-use-packages-alone',
      severity: 'error',
      from: { path: '^examples/([^/]+)/' },
      to: { path: '^(apps|config|examples|test)/', pathNot: '^examples/$1/' },
    },
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'only-the-port-touches-files',
      comment:
        'All file calls of the log go through the FileSystem port, so that they can be simulated.',
      severity: 'error',
      from: {
        path: '^libs/wal/',
        pathNot: '/node-file-system[^/]*\\.ts$|[.-]spec\\.ts$|/testing/',
      },
      to: { path: '^(node:)?fs(/promises)?$' },
    },
    {
      name: 'one-checksum',
      comment: 'docs/adr/0017-one-checksum.md',
      severity: 'error',
      from: { pathNot: '^libs/wal/src/format/checksum(\\.spec)?\\.ts$' },
      to: { path: 'node_modules/crc-32/' },
    },
    {
      name: 'the-domain-knows-no-framework',
      severity: 'error',
      from: { path: '^libs/(kernel|wal|commands|outlets|operations|ledger)/' },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'one-process-needs-no-network-of-its-own',
      comment:
        'All in one process, nothing goes over gRPC: loading it and the microservices of Nest would be a third of what a start costs.',
      severity: 'error',
      from: { path: '^apps/holdfast/src/', pathNot: '[.-]spec\\.ts$' },
      to: { path: 'node_modules/(@grpc|@nestjs/microservices)/', reachable: true },
    },
    {
      name: 'what-goes-without-microservices-does',
      comment:
        'These do without them before they load anything: an import of them would end the program.',
      severity: 'error',
      from: { path: '^apps/(holdfast|query-service)/src/', pathNot: '[.-]spec\\.ts$' },
      to: { path: 'node_modules/@nestjs/microservices/', reachable: true },
    },
    {
      name: 'testing-is-for-specs',
      severity: 'error',
      from: { pathNot: '(\\.spec|-spec)\\.ts$|/(testing|simulation)/|^test/' },
      to: { path: '/(testing|simulation)/' },
    },
    {
      name: 'packages-declare-what-they-import',
      comment:
        'What a library imports stands in the package.json nearest to it, else its users lack it.',
      severity: 'error',
      from: { path: '^(libs|examples)/', pathNot: '[.-]spec\\.ts$|\\.contract\\.ts$|/testing/' },
      to: { path: 'node_modules/', dependencyTypesNot: ['npm', 'npm-peer'] },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/|^examples/[^/]+/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
      extensions: ['.ts', '.js'],
    },
  },
};
