import { EventStoreModule, type EventStoreOptions, ProjectionsModule } from '@holdfast/nestjs';
import { type DynamicModule, Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { BookingsController } from './bookings.controller.js';
import bookings from './bookings.feature.js';

const validation = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true });

@Module({
  imports: [EventStoreModule.forFeature(bookings)],
  controllers: [BookingsController],
  providers: [{ provide: APP_PIPE, useValue: validation }],
})
export class BookingsModule {
  static with(options: EventStoreOptions, inThread = false): DynamicModule {
    const imports = [EventStoreModule.forRoot(options), ProjectionsModule.forRoot({ inThread })];
    return { module: BookingsModule, imports };
  }
}
