import { ApiProperty } from '@holdfast/platform';
import { type Type } from '@nestjs/common';

/** A page for OpenAPI: extend it, giving the class of its items. */
export function PageOf<Item>(item: Type<Item>) {
  abstract class PageDto {
    @ApiProperty({ type: [item] })
    items!: readonly Item[];

    @ApiProperty({
      type: 'string',
      nullable: true,
      description: 'The `cursor` of the next page; null on the last one.',
    })
    nextCursor!: string | null;
  }
  return PageDto;
}
