import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';

it("says of Nest's microservices that they are not installed, and gives everything else", () => {
  const program = `
    import { withoutMicroservices } from '${new URL('./index.ts', import.meta.url).href}';
    withoutMicroservices();
    const loaded = (name) => import(name).then(() => true, (error) => error.message);
    const names = ['@nestjs/microservices', '@nestjs/microservices/microservices-module.js', 'node:http'];
    console.log(JSON.stringify(await Promise.all(names.map(loaded))));`;
  const { stdout } = spawnSync(
    process.execPath,
    ['--no-warnings', '--input-type=module', '--eval', program],
    { encoding: 'utf8' },
  );
  expect(JSON.parse(stdout)).toEqual([
    '@nestjs/microservices is not part of this program',
    '@nestjs/microservices/microservices-module.js is not part of this program',
    true,
  ]);
});
