import { TextVariable } from './variable.js';

/** Where the events go beside the read models. */
export class NatsConfiguration {
  @TextVariable('HOLDFAST_NATS_URL', {
    default: '',
    meaning:
      'The NATS server to whose JetStream the events are published, with credentials if it wants them. `tls` asks for TLS. Empty: nothing is published.',
    pattern: /^(?:(?:nats|tls):\/\/[^\s,/]{1,1000}(?:,(?:nats|tls):\/\/[^\s,/]{1,1000}){0,15})?$/,
    allowed: 'addresses such as nats://user:password@host:4222, with commas between',
    secret: true,
  })
  readonly url!: string;

  @TextVariable('HOLDFAST_NATS_STREAM', {
    default: 'holdfast',
    meaning: 'The stream, which an operator makes for these events alone.',
    pattern: /^[A-Za-z0-9_-]{1,255}$/,
    allowed: 'letters, digits, hyphens and underscores',
  })
  readonly stream!: string;

  @TextVariable('HOLDFAST_NATS_SUBJECT', {
    default: 'holdfast.{ledger}.{type}',
    meaning: 'The subject of an event. `{ledger}` and `{type}` stand for those of the event.',
    pattern:
      /^(?:\{(?:ledger|type)\}|[^\s.*>{}]{1,100})(?:\.(?:\{(?:ledger|type)\}|[^\s.*>{}]{1,100})){0,15}$/,
    allowed: 'words, {ledger} and {type}, with dots between',
  })
  readonly subject!: string;
}
