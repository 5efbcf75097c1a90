#!/usr/bin/env node
import { buildIfNeeded } from './build-if-needed.js';
import { handedToOwnNode } from './own-node.js';

if (!handedToOwnNode()) {
  await buildIfNeeded();
  await import('../dist/apps/cli/src/main.js');
}
