import { RequestMethod } from '@nestjs/common';
// Behind the entry, which alone loads what decorators need.
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { MetadataScanner } from '@nestjs/core';
import type { ForwardedRoute } from '@holdfast/platform/forwarding';
import { FollowEventsController } from './follow-events/follow-events.controller.js';
import { COMMAND_CONTROLLERS } from './ledger-commands.module.js';

/** The routes of the write side, as its controllers declare them, for a front door that hands on these and no others. */
export function commandRoutes(): readonly ForwardedRoute[] {
  return COMMAND_CONTROLLERS.flatMap((controller) => {
    const prototype = controller.prototype as unknown as Readonly<Record<string, object>>;
    const path = `/${String(Reflect.getMetadata(PATH_METADATA, controller))}`;
    return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name] ?? {};
      const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (method === undefined) return [];
      const methods = [RequestMethod[method] as ForwardedRoute['methods'][number]];
      return [{ path, methods, streams: controller === FollowEventsController }];
    });
  });
}
