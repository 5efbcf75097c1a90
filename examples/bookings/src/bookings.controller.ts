import { Executes, Follows, HoldfastHealth, type Query, Reads } from '@holdfast/nestjs';
import { Body, Controller, Delete, Get, Param, ParseIntPipe, Post, Put } from '@nestjs/common';
import { IsDateString, IsInt, Length, Matches, Min } from 'class-validator';
import { calendar } from './calendar.js';
import { room } from './room.js';

class BookingBody {
  @Matches(/^[\d-]{10}$/) @IsDateString({ strict: true }) day!: string;
  @Length(1, 100) guest!: string;
  @IsInt() @Min(1) people!: number;
}

@Controller()
export class BookingsController {
  constructor(private readonly health: HoldfastHealth) {}

  @Put('rooms/:room')
  @Executes(room)
  add(@Param('room') id: string, @Body('capacity', ParseIntPipe) capacity: number) {
    return room.command('AddRoom', { room: id, capacity });
  }

  @Post('rooms/:room/bookings')
  @Executes(room)
  book(@Param('room') id: string, @Body() body: BookingBody) {
    return room.command('BookRoom', { room: id, ...body });
  }

  @Delete('rooms/:room/bookings/:day/:guest')
  @Executes(room)
  cancel(@Param('room') id: string, @Param('day') day: string, @Param('guest') guest: string) {
    return room.command('CancelBooking', { room: id, day, guest });
  }

  @Get('calendar/:day')
  @Reads(calendar)
  onDay(@Param('day') day: string): Query {
    return (tables) =>
      tables.prepare('SELECT room, guest, people FROM bookings WHERE day = ?').all(day);
  }

  @Get('events')
  @Follows()
  events() {
    return {};
  }

  @Get('health')
  isReady() {
    return this.health.check();
  }
}
