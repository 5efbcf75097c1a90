import { resolve } from 'node:path';
import { WalError } from '../wal.errors.js';
import type { FileSystem } from './file-system.js';

/**
 * File systems that several machines write at once, or that another program keeps behind FUSE or a shared folder of a virtual machine: nobody promises that a lock keeps a second writer out there,
 * that a sync reaches a disk, or that a page read again is what was written. By the type that statfs reports (`linux/magic.h`, and the table of `stat -f` in coreutils for those of vendors).
 */
export const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x564c, 'NCP'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'kAFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x19830326, 'BeeGFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x20030528, 'OrangeFS'],
  [0xaad7aaea, 'PanFS'],
  [0x61636673, 'ACFS'],
  [0xbeefdead, 'StorNext'],
  [0x013111a8, 'IBRIX'],
  [0xbacbacbc, 'VMware shared folders'],
  [0x786f4256, 'VirtualBox shared folders'],
  [0x7c7c6673, 'Parallels shared folders'],
  [0x00c0ffee, 'hostfs'],
  [0xa501fcf5, 'VxFS'],
]);

export interface PlaceOptions {
  /** Opens or creates a log on such a file system. */
  readonly allowNetworkFileSystem?: boolean;
}

/**
 * Asserts that a log may live in a directory, which exists or is to be made.
 *
 * @throws `WAL_UNSUPPORTED_FILE_SYSTEM`.
 */
export function assertPlaceForLog(
  fileSystem: Pick<FileSystem, 'isNetwork'>,
  path: string,
  { allowNetworkFileSystem = false }: PlaceOptions,
): void {
  const directory = resolve(path);
  if (allowNetworkFileSystem || !fileSystem.isNetwork(directory)) return;
  throw new WalError(
    'WAL_UNSUPPORTED_FILE_SYSTEM',
    `${directory} is on a network, cluster or FUSE file system, whose locks and syncs cannot be trusted; the option allowNetworkFileSystem (HOLDFAST_WAL_ALLOW_NETWORK_FILE_SYSTEM=true) overrides this`,
    { directory },
  );
}
