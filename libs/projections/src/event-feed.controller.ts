import { Controller, Inject } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { FeedConsumers } from './feed-consumers.js';
import { FEED_SERVICE } from './feed-protocol.js';
import { FeedSession, type FollowCall } from './feed-session.js';
import { SourceFeed } from './source-feed.js';

/** The call itself and never an Observable of it: only so can a portion wait until there is room for it. */
@Controller()
export class EventFeedController {
  constructor(
    @Inject(SourceFeed) private readonly feed: SourceFeed,
    @Inject(FeedConsumers) private readonly consumers: FeedConsumers,
  ) {}

  @GrpcStreamCall(FEED_SERVICE, 'Follow')
  follow(call: FollowCall): Promise<void> {
    return new FeedSession(call, this.feed, this.consumers).run();
  }
}
