import { expect, it } from '@jest/globals';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { NETWORK_FILE_SYSTEMS } from './network-file-systems.js';
import { NodeFileSystem } from './node-file-system.js';

it.each([
  ['FUSE', 0x65735546],
  ['GPFS', 0x47504653],
  ['Lustre', 0x0bd00bd0],
  ['BeeGFS', 0x19830326],
  ['OCFS2', 0x7461636f],
  ['GFS2', 0x01161970],
  ['NFS', 0x6969],
])('%s is no place for a log', (name, type) => {
  expect(NETWORK_FILE_SYSTEMS.get(type)).toBe(name);
});

it.each([
  ['ext4', 0xef53],
  ['XFS', 0x58465342],
  ['Btrfs', 0x9123683e],
  ['ZFS', 0x2fc12fc1],
  ['tmpfs', 0x01021994],
  ['overlayfs', 0x794c7630],
])('%s is', (_, type) => {
  expect(NETWORK_FILE_SYSTEMS.get(type)).toBeUndefined();
});

it('the disk looks itself up in the table', () => {
  const isListed = NETWORK_FILE_SYSTEMS.has(statfsSync(tmpdir()).type);
  expect(new NodeFileSystem().isNetwork(tmpdir())).toBe(isListed);
});
