/** A small service on the packages, as a team would write it. Takes the version of its program, the data directory, its port and that of its operator. */
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Body, Controller, Get, Module, Param, Put } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { OperationsModule } from '@holdfast/administration';
import {
  EventStore,
  EventStoreModule,
  Executes,
  HoldfastHealth,
  Projections,
  ProjectionsModule,
  type Query,
  Reads,
  runHoldfast,
} from '@holdfast/nestjs';
import type { Feature } from '@holdfast/nestjs/feature';
import { defined } from '@holdfast/kernel';
import { createLogger } from '@holdfast/platform';
import { join } from 'node:path';
import { note } from './note.js';

const [version = '', directory = '', port = '', adminPort = ''] = process.argv.slice(2);
const { default: notes } = (await import(`./notes-${version}.js`)) as {
  readonly default: Feature;
};
const list = defined(notes.projections?.[0], 'the projection');

@Controller()
class NotesController {
  constructor(private readonly health: HoldfastHealth) {}

  @Put('notes/:note')
  @Executes(note)
  write(@Param('note') id: string, @Body('text') text: string) {
    return note.command('WriteNote', { note: id, text });
  }

  @Get('notes/:note')
  @Reads(list)
  read(@Param('note') id: string): Query {
    return (tables) => tables.prepare<[string], object>('SELECT * FROM note WHERE id = ?').get(id);
  }

  @Get('health')
  isReady() {
    return this.health.check();
  }
}

@Module({
  imports: [
    EventStoreModule.forRoot({ directory }),
    EventStoreModule.forFeature(notes),
    ProjectionsModule.forRoot(),
    OperationsModule.forRootAsync({
      inject: [EventStore, Projections],
      useFactory: ({ writer }: EventStore, projections: Projections) => ({
        writer,
        service: {
          model: { schemas: [], evolve: () => undefined },
          projections: projections.operated(),
        },
        directories: {
          stateDirectory: join(directory, 'state'),
          snapshotDirectory: join(directory, 'snapshots'),
          readModelDirectory: join(directory, 'read-models'),
        },
        admin: {
          ...{ host: '127.0.0.1', port: Number(adminPort) },
          access: { token: '', tokenFile: '' },
        },
        logger: createLogger({ service: 'notes', level: 'warn' }),
      }),
    }),
  ],
  controllers: [NotesController],
})
class NotesModule {}

await runHoldfast(async () => {
  const app = await NestFactory.create<NestFastifyApplication>(NotesModule, new FastifyAdapter());
  await app.listen(Number(port), '127.0.0.1');
  return app;
});
