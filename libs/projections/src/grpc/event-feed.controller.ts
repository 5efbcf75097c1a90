import { CodedError } from '@holdfast/kernel';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, RpcException } from '@nestjs/microservices';
import type { FeedCursor } from '../event-feed.js';
import { cursorFromWire } from './feed-codec.js';
import { FeedConsumers } from '../feed/feed-consumers.js';
import {
  FEED_SERVICE,
  type WireCursor,
  type WireReport,
  type WireReportAnswer,
} from './feed-protocol.js';
import { FeedSession, type FollowCall } from './feed-session.js';
import { FeedToken } from './feed-token.js';
import { statusOf } from './feed-status.js';
import { SourceFeed } from '../feed/source-feed.js';

/** The call itself and never an Observable of it: only so can a portion wait until there is room for it. */
@Controller()
export class EventFeedController {
  constructor(
    @Inject(SourceFeed) private readonly feed: SourceFeed,
    @Inject(FeedConsumers) private readonly consumers: FeedConsumers,
    @Inject(FeedToken) private readonly token: FeedToken,
  ) {}

  @GrpcStreamCall(FEED_SERVICE, 'Follow')
  async follow(call: FollowCall): Promise<void> {
    const refusal = this.token.refusalOf(call.metadata);
    if (refusal !== undefined) call.emit('error', statusOf(refusal));
    else await new FeedSession(call, this.feed, this.consumers).run();
  }

  @GrpcMethod(FEED_SERVICE, 'Report')
  report(
    { consumer, reporter, applied, durable, ended }: WireReport,
    metadata: Metadata,
    call: ServerUnaryCall<WireReport, WireReportAnswer>,
  ): WireReportAnswer {
    try {
      const refusal = this.token.refusalOf(metadata);
      if (refusal !== undefined) throw refusal;
      const cursors = { applied: this.ownCursor(applied), durable: this.ownCursor(durable) };
      this.consumers.report({ consumer, reporter, ended, ...cursors }, call.getPeer());
      return {};
    } catch (error) {
      const { details, ...status } = statusOf(error);
      throw new RpcException({ ...status, message: details, details });
    }
  }

  /**
   * Throws `FEED_DIVERGED`, `FEED_COMPACTED`, and `FEED_PROTOCOL` for no cursor at all: a floor may only come from somebody who
   * reads this very log and says where.
   */
  private ownCursor(cursor: WireCursor | null | undefined): FeedCursor {
    if (!cursor)
      throw new CodedError('FEED_PROTOCOL', 'the consumer sent a report without a cursor');
    const own = cursorFromWire(cursor);
    this.feed.assertOwn(own);
    return own;
  }
}
