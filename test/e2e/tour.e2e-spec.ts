import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { bareEnvironment } from '../support/bare-environment.js';
import { inRepository } from '../support/repository.js';

/** It may have to build first. */
const TOUR_MILLIS_MAX = 180_000;

describe('the tour of docs/tour.md', () => {
  it(
    'goes as it is written',
    async () => {
      const { output, exitCode } = await run('bin/tour.js');
      expect(output).toContain('The tour went as it is written.');
      expect(exitCode).toBe(0);
    },
    TOUR_MILLIS_MAX,
  );
});

function run(script: string): Promise<{ output: string; exitCode: number | null }> {
  const tour = spawn(process.execPath, [inRepository(script)], {
    env: bareEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  tour.stdout.on('data', (text: Buffer) => (output += text.toString()));
  tour.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve, reject) => {
    tour.on('error', reject);
    tour.on('close', (exitCode) => resolve({ output, exitCode }));
  });
}
