import { ProblemException, createHttpApplication, createLogger } from '@holdfast/platform';
import { Controller, Get, Module } from '@nestjs/common';

@Controller('rooms')
class RoomsController {
  @Get('blue')
  find(): never {
    throw new ProblemException('room-not-found');
  }
}

@Module({ controllers: [RoomsController] })
class RoomsModule {}

const application = await createHttpApplication(RoomsModule, {
  logger: createLogger({ service: 'rooms', level: 'silent' }),
  problems: { 'room-not-found': { status: 404, title: 'There is no such room' } },
});
const url = await application.listen(0); // a service passes the application to `runService`
const answer = await fetch(`${url}/rooms/blue`);
console.log(answer.status, answer.headers.get('content-type'), (await answer.text()).trim());
await application.stop(1_000);
