import { PUBLIC_EVENT_TYPES, accountIdRule } from '@holdfast/ledger';
import { textRule } from '@holdfast/commands';
import { EVENTS_LIMIT_MAX } from '@holdfast/nestjs/events';
import {
  ApiProperty,
  ApiPropertyOptional,
  IsIntegerText,
  IsString,
  MaxLength,
  MayBeAbsent,
} from '@holdfast/platform';
import { Obeys, fieldSchemas } from '../../shared/ledger-fields.js';

const TOKEN_CHARACTERS_MAX = 64;
const ACCOUNT_TAG = 'account:';
const ACCOUNTS_MAX = 100;

const types = PUBLIC_EVENT_TYPES.join('|');
const typesRule = textRule(
  new RegExp(`^(?:${types})(?:,(?:${types}))*$`),
  `must be one or more of ${PUBLIC_EVENT_TYPES.join(', ')}, with commas between them`,
);
const tagsRule = {
  pattern: new RegExp(`^(?:${ACCOUNT_TAG}[^,]+)(?:,${ACCOUNT_TAG}[^,]+){0,${ACCOUNTS_MAX - 1}}$`),
  problem: `must be 1 to ${ACCOUNTS_MAX} tags such as account:alice, with commas between them`,
  accepts: (value: unknown) =>
    typeof value === 'string' &&
    tagsRule.pattern.test(value) &&
    accountsOf(value).every((id) => accountIdRule.accepts(id)),
};

function accountsOf(tag: string): string[] {
  return tag.split(',').map((one) => one.slice(ACCOUNT_TAG.length));
}

export class FollowEventsQuery {
  @ApiPropertyOptional({
    type: 'string',
    description:
      'Events behind this `Holdfast-Position`: of an event, a page, or any other answer. Without it all of them, from the first. `Last-Event-ID` counts more.',
  })
  @MayBeAbsent()
  @IsString()
  @MaxLength(TOKEN_CHARACTERS_MAX)
  after?: string;

  @ApiPropertyOptional({
    type: 'string',
    pattern: typesRule.pattern.source,
    description:
      'Of these types alone, with commas between them. Without it all but `CommandRejected` and `CommandUnchanged`, which change nothing.',
    example: 'TransferPosted,AccountOpened',
  })
  @MayBeAbsent()
  @Obeys(typesRule)
  type?: string;

  @ApiPropertyOptional({
    type: 'string',
    pattern: tagsRule.pattern.source,
    description: 'About one of these accounts, with commas between them.',
    example: 'account:alice,account:bob',
  })
  @MayBeAbsent()
  @Obeys(tagsRule)
  tag?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: EVENTS_LIMIT_MAX,
    description: 'The most events in the answer: 100 on a page; all, and for ever, in a stream.',
  })
  @MayBeAbsent()
  @IsIntegerText(1, EVENTS_LIMIT_MAX)
  limit?: string;

  get types(): readonly string[] | undefined {
    return this.type?.split(',');
  }

  get accounts(): readonly string[] | undefined {
    return this.tag === undefined ? undefined : accountsOf(this.tag);
  }
}

export class EventDto {
  @ApiProperty({ type: 'string', description: 'Where it stands: `after` of a later request.' })
  position!: string;

  @ApiProperty({ ...fieldSchemas.uuid, description: 'The id of the event.' })
  id!: string;

  @ApiProperty({ type: 'string', enum: [...PUBLIC_EVENT_TYPES], description: 'What happened.' })
  type!: string;

  @ApiProperty(fieldSchemas.ledger)
  ledger!: string;

  @ApiProperty(fieldSchemas.instant)
  recordedAt!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'By type: the ledger, the asset, the account, or the transfer with `balances`, as their own addresses show them. Members are added, and never change.',
  })
  data!: object;
}

export class EventsPageDto {
  @ApiProperty({ type: [EventDto] })
  items!: readonly EventDto[];

  @ApiProperty({ type: 'string', description: '`after` of the next page.' })
  after!: string;

  @ApiProperty({ type: 'boolean', description: 'Whether to ask for it at once; false: later.' })
  more!: boolean;
}
