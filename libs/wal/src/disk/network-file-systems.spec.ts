import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
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
  ['SMB', 0x517b],
  ['SMB2', 0xfe534d42],
  ['CIFS', 0xff534d42],
  ['AFS', 0x5346414f],
  ['kAFS', 0x6b414653],
  ['NCP', 0x564c],
  ['Coda', 0x73757245],
  ['Ceph', 0x00c36400],
  ['9p', 0x01021997],
  ['hostfs', 0x00c0ffee],
  ['VxFS', 0xa501fcf5],
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
  expect(new NodeFileSystem().isNetwork(join(tmpdir(), 'not', 'there'))).toBe(isListed);
});
