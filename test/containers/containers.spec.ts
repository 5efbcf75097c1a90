import { describe, expect, it } from '@jest/globals';
import { APPLICATIONS, type ApplicationConfigurations, configurationOf } from '@holdfast/config';
import { DockerfileParser } from 'dockerfile-ast';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/*
 * There may be no container engine where this runs, so what an engine would only find out when it starts is checked here: everything
 * that the Dockerfile and docker-compose.yml name exists in the project and means what they think.
 */

interface ComposeService {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly stop_grace_period: string;
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const instructions = DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'))
  .getInstructions()
  .map((instruction) => ({
    keyword: instruction.getKeyword(),
    /** Without flags. */
    text: instruction.getArgumentsContent() ?? '',
    fromStage: instruction.toString().includes('--from='),
  }));
const imageEnvironment = Object.fromEntries(
  instructions
    .filter(({ keyword, text }) => keyword === 'ENV' && text.startsWith('HOLDFAST_'))
    .map(({ text }) => text.split('=') as [string, string]),
);

/** The configuration that a service gets within its container; throws for a variable that nobody reads. */
function configured<Name extends keyof ApplicationConfigurations>(
  name: Name,
): ApplicationConfigurations[Name] {
  return configurationOf(name, { ...imageEnvironment, ...compose.services[name]?.environment });
}

describe('the containers', () => {
  it('are the three services, each started by its own entry point', () => {
    expect(services.map(([name, { command }]) => [name, command])).toEqual(
      ['command-service', 'projection-worker', 'query-service'].map((name) => [
        name,
        ['node', `dist/apps/${name}/src/main.js`],
      ]),
    );
    for (const [name] of services) {
      expect(Object.keys(APPLICATIONS)).toContain(name);
      expect(existsSync(join('apps', name, 'src', 'main.ts'))).toBe(true);
    }
  });

  it('give each service variables that it reads, and ports that fit together', () => {
    const [command, worker, query] = [
      configured('command-service'),
      configured('projection-worker'),
      configured('query-service'),
    ];
    for (const { service } of [command, worker, query]) expect(service.host).toBe('0.0.0.0');
    expect(worker.feed.reportAddress).toBe(`command-service:${command.feedServer.port}`);
    // Without a token the operator's API serves the container itself, and nobody else.
    expect([command.admin.host, command.admin.access.token]).toEqual(['127.0.0.1', '']);
    expect(query.commands.url).toBe(`http://command-service:${command.http.port}`);
    expect(compose.services['query-service']!.ports).toEqual([
      `127.0.0.1:${query.http.port}:${query.http.port}`,
    ]);
    expect(services.map(([, { healthcheck }]) => healthcheck.test)).toEqual(
      [command, worker, query].map(({ http }) => [
        ...['CMD', 'node', 'bin/health.js'],
        `http://127.0.0.1:${http.port}`,
      ]),
    );
  });

  it('share the log and the read models, and only the command service may write the log', () => {
    const { storage } = configured('command-service');
    const [log, state, snapshots, archive, readModels] = [
      `log:${storage.walDirectory}`,
      `state:${storage.stateDirectory}`,
      `snapshots:${storage.snapshotDirectory}`,
      `archive:${storage.archiveDirectory}`,
      `read-models:${storage.readModelDirectory}`,
    ];
    expect(services.map(([, { volumes }]) => volumes)).toEqual([
      [log, state, snapshots, archive],
      [`${log}:ro`, `${archive}:ro`, readModels],
      [readModels],
    ]);
    expect(Object.keys(compose.volumes)).toEqual([
      ...['log', 'state', 'snapshots', 'archive', 'read-models'],
    ]);
    // A new volume belongs to whom its folder in the image belongs to.
    const made = instructions.find(({ text }) => text.includes('mkdir'))!.text;
    for (const path of [
      ...[storage.walDirectory, storage.stateDirectory, storage.snapshotDirectory],
      ...[storage.archiveDirectory, storage.readModelDirectory],
    ])
      expect(made).toContain(path);
    expect(made).toContain('chown -R node:node /data');
  });

  it('start in an order in which each finds what it needs', () => {
    const conditions = services.map(([name, { depends_on = {} }]) => [
      name,
      Object.entries(depends_on).map(([needed, { condition }]) => `${needed} ${condition}`),
    ]);
    expect(Object.fromEntries(conditions)).toEqual({
      'command-service': [],
      'projection-worker': ['command-service service_healthy'],
      'query-service': ['command-service service_healthy', 'projection-worker service_healthy'],
    });
  });

  it('may do no more than they need, and are given the time to stop', () => {
    for (const [, service] of services) {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
      const { stopGraceMillis } = configured('command-service').service;
      expect(Number.parseInt(service.stop_grace_period, 10) * 1_000).toBeGreaterThan(
        stopGraceMillis,
      );
    }
  });
});

describe('the image', () => {
  it('runs Node of the major version that the project asks for', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      engines: { node: string };
    };
    const bases = instructions
      .filter(({ keyword }) => keyword === 'FROM')
      .map(({ text }) => text.split(' ')[0]);
    expect(new Set(bases)).toEqual(
      new Set([`node:${engines.node.replace('>=', '')}-bookworm-slim`]),
    );
  });

  it('runs as somebody other than root, and by default everything in one process', () => {
    expect(instructions.filter(({ keyword }) => keyword === 'USER')).toMatchObject([
      { keyword: 'USER', text: 'node' },
    ]);
    const [last] = instructions.filter(({ keyword }) => keyword === 'CMD').slice(-1);
    expect(JSON.parse(last!.text)).toEqual(['node', 'dist/apps/holdfast/src/main.js']);
    expect(existsSync('apps/holdfast/src/main.ts')).toBe(true);
    const { http, service } = configured('holdfast');
    expect(instructions).toContainEqual(
      expect.objectContaining({ keyword: 'EXPOSE', text: String(http.port) }),
    );
    expect(service.host).toBe('0.0.0.0');
  });

  it('copies only what is there and what .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = instructions
      .filter(({ keyword, fromStage }) => keyword === 'COPY' && !fromStage)
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(allowed).toContain(path);
      expect(existsSync(path)).toBe(true);
    }
  });
});
