import { describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Module,
  Param,
  Post,
  Query,
  Req,
  createParamDecorator,
} from '@nestjs/common';
import { IsCreditCard, IsOptional, IsString } from 'class-validator';
import { createHttpApplication } from '../http/http-application.js';
import type { PageQuery } from '../http/page-query.dto.js';
import { recordingLogger } from '../testing/served.js';

class GoodDto {
  @IsString()
  text!: string;
}

class EmptyDto {
  text!: string;
}

class UncompilableDto {
  @IsCreditCard()
  card!: string;
}

class LenientDto {
  @IsOptional()
  @IsString()
  text?: string;
}

interface Shape {
  text: string;
}

const Caller = createParamDecorator(() => ({ actor: 'a' }));

class Base {
  @Get('inherited')
  inherited(@Query() query: Shape) {
    return query;
  }
}

/* Each class has one handler with one parameter that Nest would let pass unseen. */
@Controller()
class ImportedAsType {
  @Get()
  handle(@Query() query: PageQuery) {
    return query;
  }
}

@Controller()
class Interface {
  @Post()
  handle(@Body() body: Shape) {
    return body;
  }
}

@Controller()
class Union {
  @Post()
  handle(@Body() body: GoodDto | EmptyDto) {
    return body;
  }
}

@Controller()
class List {
  @Post()
  handle(@Body() body: GoodDto[]) {
    return body;
  }
}

@Controller()
class Text {
  @Post()
  handle(@Body() body: string) {
    return body;
  }
}

@Controller()
class Callable {
  @Post()
  handle(@Body() body: () => void) {
    return body;
  }
}

@Controller()
class NumberInPath {
  @Get(':id')
  handle(@Param('id') id: number) {
    return id;
  }
}

@Controller()
class OneOfTheQuery {
  @Get()
  handle(@Query('limit') limit: string) {
    return limit;
  }
}

@Controller()
class OneOfTheBody {
  @Post()
  handle(@Body('inner') inner: GoodDto) {
    return inner;
  }
}

@Controller()
class Undecorated {
  @Post()
  handle(@Body() body: EmptyDto) {
    return body;
  }
}

@Controller()
class Uncompilable {
  @Post()
  handle(@Body() body: UncompilableDto) {
    return body;
  }
}

@Controller()
class Lenient {
  @Post()
  handle(@Body() body: LenientDto) {
    return body;
  }
}

@Controller()
class Inheriting extends Base {}

@Controller()
class Good {
  @Post(':ledger/:id')
  handle(
    @Param() all: GoodDto,
    @Param('id') id: string,
    @Query() query: GoodDto,
    @Body() body: GoodDto,
    @Caller() caller: Shape,
    @Req() request: Shape,
  ) {
    return [all, id, query, body, caller, request];
  }

  notAHandler(anything: Shape) {
    return anything;
  }
}

type ControllerClass = new () => object;

async function start(...controllers: ControllerClass[]): Promise<void> {
  @Module({ controllers })
  class Inner {}

  @Module({ imports: [Inner] })
  class Root {}

  const { logger } = recordingLogger('silent');
  const application = await createHttpApplication(Root, { logger });
  await application.stop(0);
}

describe('an application does not start with a handler whose parameter would not be validated', () => {
  it.each<[string, ControllerClass, string]>([
    [
      'a DTO imported as a type',
      ImportedAsType,
      'ImportedAsType.handle, @Query would not be validated: its type is Object',
    ],
    [
      'an interface',
      Interface,
      'Interface.handle, @Body would not be validated: its type is Object',
    ],
    ['a union', Union, 'Union.handle, @Body would not be validated: its type is Object'],
    ['a list', List, 'List.handle, @Body would not be validated: its type is Array'],
    ['a text', Text, 'Text.handle, @Body would not be validated: its type is String'],
    ['a function', Callable, 'Callable.handle, @Body would not be validated: its type is Function'],
    [
      'a number in the path',
      NumberInPath,
      'NumberInPath.handle, @Param: take the whole of it as one DTO',
    ],
    [
      'one parameter of the query',
      OneOfTheQuery,
      'OneOfTheQuery.handle, @Query: take the whole of it as one DTO',
    ],
    [
      'one field of the body',
      OneOfTheBody,
      'OneOfTheBody.handle, @Body: take the whole of it as one DTO',
    ],
    ['a DTO without decorators', Undecorated, 'EmptyDto has no validation decorators'],
    [
      'a DTO with an unknown constraint',
      Uncompilable,
      'UncompilableDto.card uses the constraint isCreditCard',
    ],
    ['a DTO that lets null pass', Lenient, 'LenientDto.text uses IsOptional'],
    [
      'a handler that is inherited',
      Inheriting,
      'Inheriting.inherited, @Query would not be validated',
    ],
  ])('%s', async (_name, controller, message) => {
    await expect(start(Good, controller)).rejects.toThrow(message);
  });

  it('but starts when all are DTO classes, texts of the path, or not read from the client', async () => {
    await expect(start(Good)).resolves.toBeUndefined();
  });
});
