import type { Mutant } from './mutant.js';

const WAL = 'libs/wal/src';
const STATE = 'libs/event-store/src';
const STEPS = 'power cuts at the steps of checkpoints';
const FILLED = 'a disk that appends have filled';
const CLOCK = 'a clock that cannot be believed';
const TAGS = 'the newest event of a tag';

/** The mutants of one file. `find` stands exactly once in it. */
function mutantsOf(
  file: string,
  mutants: readonly (readonly [name: string, probe: string, find: string, replace: string])[],
): Mutant[] {
  return mutants.map(([name, probe, find, replace]) => ({ name, file, probe, find, replace }));
}

/**
 * Everything that durability rests on, taken away or turned round one at a time. What is added to the log brings its mutants here, and the workload that
 * kills them to `crash-workloads.ts`. A change that no test could tell from the original, because something else covers it, does not belong here.
 */
export const MUTANTS: readonly Mutant[] = [
  ...mutantsOf(`${WAL}/write/group-commit.ts`, [
    [
      'frames are not synced on the main thread',
      'appends in sync mode',
      'if (synced) frame.segment.file.dataSync();',
      '',
    ],
    [
      'frames are not synced in the thread pool',
      'appends in sync mode through the thread pool',
      'if (synced) await frame.segment.file.dataSyncAsync();',
      '',
    ],
    [
      'frames are synced on request only, whatever the mode',
      'appends in sync mode',
      "return this.options.durability === 'sync' || frame.needsSync || this.syncRequested;",
      'return frame.needsSync || this.syncRequested;',
    ],
    [
      'an append that asks for a sync gets none',
      'appends in interval mode',
      "return this.options.durability === 'sync' || frame.needsSync || this.syncRequested;",
      "return this.options.durability === 'sync' || this.syncRequested;",
    ],
    [
      'the watermark and readers are told before the sync',
      'appends in sync mode',
      'if (synced) frame.segment.file.dataSync();\n      this.complete(frame, encoded, synced, startMicros);',
      'this.complete(frame, encoded, synced, startMicros);\n      if (synced) frame.segment.file.dataSync();',
    ],
    [
      'acknowledged before the sync',
      'appends in sync mode through the thread pool',
      'if (synced) await frame.segment.file.dataSyncAsync();\n      if (this.hasFailed()) return;\n      this.complete(frame, encoded, synced, startMicros);',
      'this.complete(frame, encoded, synced, startMicros);\n      if (synced) await frame.segment.file.dataSyncAsync();',
    ],
    [
      'a frame counts as durable that was only written',
      'appends in none mode',
      'if (synced) this.advanceDurable();',
      'if (synced || frame.last > 0) this.advanceDurable();',
    ],
    [
      'a frame promises itself',
      'appends in interval mode',
      'frame.first,\n      this.durable,',
      'frame.first,\n      frame.last,',
    ],
    [
      'flush does not wait for the sync',
      'appends in none mode',
      'while (this.durable < target) {',
      'while (this.written < target) {',
    ],
    [
      'flush on the main thread syncs nothing',
      'appends in none mode',
      "if (this.io.mode === 'synchronous') writer.file.dataSync();",
      "if (this.io.mode === 'synchronous') void writer;",
    ],
    [
      'flush in the thread pool syncs nothing',
      'appends in interval mode through the thread pool',
      'else await writer.file.dataSyncAsync();',
      '',
    ],
    [
      'closing does not make durable what was written',
      'opened and closed again and again',
      'if (this.failure === undefined) await this.flush().catch(() => undefined);',
      '',
    ],
    [
      'a failed sync is tried again',
      'a sync that fails once',
      'if (synced) frame.segment.file.dataSync();',
      'if (synced)\n        try {\n          frame.segment.file.dataSync();\n        } catch {\n          frame.segment.file.dataSync();\n        }',
    ],
    [
      'a fenced writer acknowledges',
      'a takeover from a writer that is stopped, and wakes up',
      "// successor's recovery scan has seen it.\n    this.observer.assertUnfenced();",
      '',
    ],
    [
      'acknowledged before the claim is looked for',
      'a takeover from a writer that is stopped, and wakes up',
      "// successor's recovery scan has seen it.\n    this.observer.assertUnfenced();",
      'frame.resolve();\n    this.observer.assertUnfenced();',
    ],
  ]),
  ...mutantsOf(`${WAL}/segment/segment-writer.ts`, [
    [
      'a segment header is not synced before the segment gets its name',
      'a log is made',
      'await this.file.dataSyncAsync();',
      '',
    ],
    [
      'a failed sync of zeros is taken for a full disk',
      'a failed sync of zeros',
      'throw new SegmentSyncFailed(error);',
      'throw error;',
    ],
  ]),
  ...mutantsOf(`${WAL}/write/segment-chain.ts`, [
    [
      'a rotation does not sync the predecessor',
      'rotations in interval mode',
      'await sealed.writer.file.dataSyncAsync();',
      '',
    ],
    [
      "the successor's header is written before the predecessor is synced",
      'rotations in interval mode',
      "    await sealed.writer.file.dataSyncAsync();\n    const seal = sealed.writer.seal(sealed.name, lastSequence);\n    assert(this.upcoming !== undefined, 'a rotation was planned');\n    await this.start(this.upcoming, sealed.name.segment + 1, lastSequence, seal);",
      '    const seal = sealed.writer.seal(sealed.name, lastSequence);\n    await this.start(this.upcoming!, sealed.name.segment + 1, lastSequence, seal);\n    await sealed.writer.file.dataSyncAsync();',
    ],
    [
      "a segment's name is not synced",
      'a log is made',
      'await this.fileSystem.syncDirectoryAsync(this.directory);',
      '',
    ],
    [
      'a segment gets its name before its header',
      'a log is made',
      'const header = await writer.start({',
      'await this.fileSystem.publish(writer.file.path, path);\n    const header = await writer.start({',
    ],
    [
      'a disk that fails counts as full',
      'a disk that fails where room for a record is made',
      "if (!NO_ROOM.includes(code)) return new SegmentSyncFailed(cause, 'making room for a record');",
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/disk/file-system.ts`, [
    [
      'a small file is renamed without a sync',
      'a log is made',
      'writeFully(file, content, 0);\n      file.dataSync();',
      'writeFully(file, content, 0);',
    ],
    [
      'a rename is not made durable',
      'floors are set and dropped',
      'options.afterRename?.();\n  fileSystem.syncDirectory(directory);',
      'options.afterRename?.();',
    ],
    [
      'a small file is renamed before its sync',
      'floors are set and dropped',
      'writeFully(file, content, 0);\n      file.dataSync();',
      'writeFully(file, content, 0);\n      fileSystem.rename(temporary, `${directory}/${name}`);\n      file.dataSync();\n      return;',
    ],
    [
      'a short write counts as a whole one',
      'a write that fails half-way',
      'while (done < source.length) {\n    const written = file.write(',
      'if (done < source.length) {\n    const written = file.write(',
    ],
    [
      'a short write in the thread pool counts as a whole one',
      'a write that fails half-way',
      'while (done < source.length) {\n    const written = await',
      'if (done < source.length) {\n    const written = await',
    ],
  ]),
  ...mutantsOf(`${WAL}/directory/manifest.ts`, [
    [
      'the first MANIFEST is not synced',
      'a log is made',
      "writeFully(file, Buffer.from(format(manifest), 'latin1'), 0);\n      file.dataSync();",
      "writeFully(file, Buffer.from(format(manifest), 'latin1'), 0);",
    ],
    [
      'the name of the first MANIFEST is not synced',
      'a log is made',
      'await fileSystem.publish(temporary, `${directory}/${MANIFEST_NAME}`);\n  });\n  fileSystem.syncDirectory(directory);',
      'await fileSystem.publish(temporary, `${directory}/${MANIFEST_NAME}`);\n  });',
    ],
  ]),
  ...mutantsOf(`${WAL}/wal-opening.ts`, [
    [
      'the name of a new directory is not synced',
      'a log is made',
      '  ensureDirectory(fileSystem, directory);\n}',
      '  if (!fileSystem.exists(directory)) fileSystem.makeDirectory(directory);\n}',
    ],
    [
      'the name of a directory that is there is taken for durable',
      'a directory that a killed process has made',
      '  ensureDirectory(fileSystem, directory);\n}',
      '  if (!fileSystem.exists(directory)) ensureDirectory(fileSystem, directory);\n}',
    ],
    [
      'each opening goes on in the history of the last',
      'a state of another history',
      "const timeline = randomBytes(8).toString('hex');",
      "const timeline = '0123456789abcdef';",
    ],
    [
      'MANIFEST does not name the first segment before it is written to',
      'a log is made',
      'if (manifest.firstSegment === 0)',
      'if (manifest.firstSegment < 0)',
    ],
  ]),
  ...mutantsOf(`${WAL}/recovery/repair.ts`, [
    [
      'unpromised frames are not written again',
      'a failed sync, a restart on the page cache, then service',
      'notes.push(...rewriteUnpromised(fileSystem, diagnosis.tail));',
      '',
    ],
    [
      'unpromised frames are synced, and not written again',
      'a failed sync, a restart on the page cache, then service',
      'readAt(file, bytes, at);\n      writeFully(file, bytes, at);',
      'readAt(file, bytes, at);',
    ],
    [
      'unpromised frames are written again, and not synced',
      'a failed sync, a restart on the page cache, then service',
      'writeFully(file, bytes, at);\n    }\n    file.dataSync();',
      'writeFully(file, bytes, at);\n    }',
    ],
  ]),
  ...mutantsOf(`${WAL}/recovery/promised.ts`, [
    [
      'what the watermark promises is not asked for',
      'damage to a log that was closed',
      'isForeign ? 0 : (watermark?.sequence ?? 0)',
      '0',
    ],
    [
      'what a floor promises is not asked for',
      'damage to a log whose last record a floor alone promises',
      '...(floors?.values() ?? []),',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/recovery/recovery.ts`, [
    [
      'what frames promise is not asked for',
      'damage to a log in interval mode whose writer was killed, without WATERMARK',
      'Math.max(promisedElsewhere, scan.promisedByFrames)',
      'promisedElsewhere',
    ],
    [
      'a segment may be shorter than it was when it got its name',
      'damage to a log whose writer was killed, without WATERMARK',
      'isCutShort: facts.size < Math.min(header.segmentBytes, ZERO_CHUNK_BYTES),',
      'isCutShort: facts.size < 0,',
    ],
    [
      'a valid frame behind damage is a tear',
      'forged frames',
      'hasFrameBehind: scan.laterFrame !== undefined,',
      'hasFrameBehind: false,',
    ],
    [
      'nothing asks for the newest segment',
      'damage to a log in interval mode whose writer was killed, without WATERMARK',
      'throw missingAfter(fileSystem, directory, manifest, newest, watermark?.sequence);',
      'void newest;',
    ],
  ]),
  ...mutantsOf(`${WAL}/segment/frame-scanner.ts`, [
    [
      'a read error is the end of the segment',
      'read errors',
      'throw readFailed(this.file.path, this.offset + keep, error);',
      'read = 0;',
    ],
    [
      'frames need not chain',
      'forged frames',
      'header.previousHeaderCrc !== this.previousHeaderCrc\n',
      'header.previousHeaderCrc < 0\n',
    ],
    [
      'sequences need not continue',
      'forged frames',
      'header.firstSequence !== this.nextSequence)',
      'header.firstSequence < 0)',
    ],
  ]),
  ...mutantsOf(`${WAL}/format/frame-decoder.ts`, [
    [
      "a frame header's checksum is not looked at",
      'forged frames',
      'if (crc32(buffer.subarray(at + 8, at + FRAME_HEADER_BYTES), seed) !== headerCrc) return undefined;',
      'void seed;',
    ],
    [
      "a frame's place is not looked at",
      'forged frames',
      'if (buffer.readUInt32LE(at + 8) !== fileOffset) return undefined;',
      '',
    ],
    [
      "a body's checksum is not looked at",
      'appends in sync mode',
      ' && crc32(buffer.subarray(start, end)) === header.bodyCrc',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/format/segment-header.ts`, [
    [
      'frames of all segments have one seed',
      'forged frames',
      'bytes.writeUInt32LE(header.salt, 32);\n  return crc32(bytes);',
      'return crc32(bytes.fill(0));',
    ],
    [
      "a segment header's checksum is not looked at",
      'damage to a log whose writer was killed, without WATERMARK',
      "if (crc32(block.subarray(CRC_COVERS_FROM, HEADER_BLOCK_BYTES)) !== headerCrc)\n    return { kind: 'damaged' };",
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/directory/watermark.ts`, [
    [
      "a slot's checksum is not looked at",
      'damage to a log that was closed',
      'if (crc32(content.subarray(at + 8, at + SLOT_BYTES)) !== content.readUInt32LE(at + 4))\n    return undefined;',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/wal.ts`, [
    [
      'a segment that was replaced is written on',
      'a segment that is replaced under its writer',
      'lock.assertInPlace(chain.current.writer.file, chain.current.path);',
      'void chain;',
    ],
  ]),
  ...mutantsOf(`${WAL}/directory/writer-lock.ts`, [
    [
      'the lock of the operating system is not heeded',
      'a second opener',
      'if (!lockHeld && !options.takeover)',
      'if (!lockHeld && options.takeover)',
    ],
    // What else names an epoch makes up for a lost claim: without it, each of these two shows.
    [
      'a claim is not durable before the older ones go',
      'killed and opened again and again',
      "...otherEpochs(fileSystem, directory, claims)) + 1;\n    let file: File;\n    try {\n      file = fileSystem.open(`${directory}/claim-${epoch}`, 'create');\n    } catch (error) {\n      if ((error as { code?: string }).code === 'EEXIST') continue;\n      throw error;\n    }\n    let isOurs = false;\n    try {\n      if (isOvertaken(fileSystem, directory, epoch)) continue;\n      fileSystem.syncDirectory(directory);\n      for (const lower of claims)",
      "...otherEpochs(fileSystem, directory, claims).slice(0, 0)) + 1;\n    let file: File;\n    try {\n      file = fileSystem.open(`${directory}/claim-${epoch}`, 'create');\n    } catch (error) {\n      if ((error as { code?: string }).code === 'EEXIST') continue;\n      throw error;\n    }\n    let isOurs = false;\n    try {\n      if (isOvertaken(fileSystem, directory, epoch)) continue;\n      for (const lower of claims)",
    ],
    [
      'the older claims go first',
      'killed and opened again and again',
      'const epoch = Math.max(0, ...claims, ...otherEpochs(fileSystem, directory, claims)) + 1;',
      'const epoch = Math.max(0, ...claims, ...otherEpochs(fileSystem, directory, claims).slice(0, 0)) + 1;\n    for (const lower of claims) removeClaim(fileSystem, `${directory}/claim-${lower}`);\n    fileSystem.syncDirectory(directory);',
    ],
  ]),
  ...mutantsOf(`${WAL}/directory/floors.ts`, [
    [
      'a floor above what is durable is taken',
      'a floor that asks for too much',
      'if (sequence > this.keeper.durableSequence) {',
      'if (sequence < 0) {',
    ],
    [
      'the floors of the lowest epoch count',
      'floors are set and dropped',
      'const newest = floorsFiles(fileSystem, directory).at(-1);',
      'const newest = floorsFiles(fileSystem, directory).at(0);',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/retention/removal.ts`, [
    [
      'removal: MANIFEST does not say that the log begins later',
      'removal of segments',
      'manifest.replace({ ...manifest.current, ...beginning, generations }, onRemoved);',
      'onRemoved();',
    ],
    [
      'removal: floors do not count',
      'removal of segments',
      'const lowest = Math.min(below, ...floors.values());',
      'const lowest = below;',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/archive/archive-writer.ts`, [
    [
      'archive: a file is not synced before it gets its name',
      'archive and removal',
      'await file.dataSyncAsync();',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/archive/archive-directory.ts`, [
    [
      'archive: the name of a file is not durable before the floor moves',
      'archive and removal',
      'await this.fileSystem.syncDirectoryAsync(this.directory);',
      '',
    ],
    [
      'archive: that of another log takes segments',
      'an archive that is replaced under its writer',
      'if (owner !== undefined && logId !== owner.logId) throw swapped(this.directory);',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/compaction/compaction.ts`, [
    [
      'compaction: MANIFEST names the new generation before its name is durable',
      'compaction',
      'fileSystem.syncDirectory(directory);\n    manifest.replace',
      'manifest.replace',
    ],
    [
      'compaction: the old file goes, and MANIFEST names it still',
      'compaction',
      'manifest.replace({ ...manifest.current, generations }, follow);',
      'follow();',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/compaction/compacted-file.ts`, [
    ['compaction: the new file is not synced', 'compaction', 'await file.dataSyncAsync();', ''],
    [
      'compaction: gaps between records are forgotten',
      'compaction',
      'if (sequence > next) encoder.addGap(sequence - next, false);',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/backup/backup.ts`, [
    [
      'backup: what the new one does not name goes before it is there',
      'backups',
      'const files = [...copiedFiles, ...keptFiles];',
      'const files = [...copiedFiles, ...keptFiles];\n    this.removeUnnamed(all, tail, files);',
    ],
    [
      'backup: the growing segment has no durable name before BACKUP names it',
      'backups',
      'fileSystem.syncDirectory(this.directory);\n    return { tail:',
      'return { tail:',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/backup/earlier-backup.ts`, [
    [
      'backup: what only an earlier one holds goes with it',
      'a backup of two histories',
      'if (this.manifest === undefined || replace) return;',
      'return;',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/backup/backup-content.ts`, [
    [
      'backup: the end of another history passes for its own',
      'a backup with the end of another history',
      'if (last.header.timeline !== manifest.timeline)',
      'if (manifest.timeline.length === 0)',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/backup/backup-target.ts`, [
    [
      'backup: a directory counts as empty that is not',
      'a directory that is not of backups',
      'if (known.length === 0 && !isEmpty(fileSystem, directory))',
      'if (known.length > 2)',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/backup/restore.ts`, [
    [
      'restore: nothing promises what was restored',
      'a restored log whose end is damaged or gone',
      'await sealRestored(fileSystem, directory, end, options.clock ?? systemClock);',
      '',
    ],
    [
      'restore: the last segment is not synced before it gets its name',
      'a restore',
      'await file.dataSyncAsync();',
      '',
    ],
    [
      'restore: the name of the new directory is not synced',
      'a restore',
      'fileSystem.syncDirectory(dirname(directory));',
      '',
    ],
    [
      'restore: ends before the name of the first segment is durable',
      'a restore',
      'fileSystem.syncDirectory(directory);\n  } catch',
      '} catch',
    ],
  ]),
  ...mutantsOf(`${WAL}/recovery/end-of-log.ts`, [
    [
      'verify: what a start refuses is no problem',
      'verification of a damaged end',
      'problem: problemOf(refusal, directory)',
      'problem: undefined',
    ],
    [
      'verify: nothing needs to vouch for the end of a log',
      'verification of a damaged end',
      'return isOurs\n',
      'return isOurs || !isOurs\n',
    ],
  ]),
  ...mutantsOf(`${WAL}/care/backup/restored-end.ts`, [
    [
      'restore: nothing promises the segment that promises the rest',
      'a restored log whose end is damaged or gone',
      'watermark.write({ timeline, epoch: RESTORED_EPOCH, ...place });',
      '',
    ],
    [
      'restore: the segment that promises the rest is not synced before it gets its name',
      'a restore',
      'await file.dataSyncAsync();',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/recovery/expected-place.ts`, [
    [
      'a log that ends before the state is opened',
      'a state that is ahead of its log',
      'if (isBehind) throw behindState(place, lastSequence);',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/wal-event-log.ts`, [
    [
      'the log is not told how far the state has come',
      'a state that is ahead of its log',
      ', expects: { ...place, sequence }',
      '',
    ],
    [
      'an event is not found by its tag until it is durable',
      TAGS,
      'this.appender.pendingAt(position) ?? this.durableEvents.asRecordedAt(position)',
      'this.durableEvents.asRecordedAt(position)',
    ],
  ]),
  ...mutantsOf(`${WAL}/disk/disk-space.ts`, [
    [
      'records fill the disk to the last block',
      FILLED,
      'if (freeBytes - unwritten - bytes >= reserve) return undefined;',
      'if (freeBytes - unwritten - bytes >= 0) return undefined;',
    ],
  ]),
  ...mutantsOf(`${WAL}/write/segment-chain.ts`, [
    [
      'an append that zeroes inline does not ask for room',
      FILLED,
      'zeros === 0 ? undefined : this.room.refusalOf(zeros)',
      'undefined as unknown',
    ],
  ]),
  ...mutantsOf(`${WAL}/segment/spare-segment.ts`, [
    [
      'a segment is zeroed ahead without asking for room',
      FILLED,
      'if (this.room.refusalOf(this.segmentBytes) !== undefined) return;',
      '',
    ],
  ]),
  ...mutantsOf(`${WAL}/disk/file-reading.ts`, [
    [
      'a read error is the end of the file',
      'read errors',
      'throw readFailed(file.path, position, error);',
      'return 0;',
    ],
  ]),
  ...mutantsOf(`${WAL}/directory/segments-of-log.ts`, [
    [
      'a segment of another number is taken for the one that its name says',
      'damage to a log that was closed',
      'header.segment === name.segment &&\n    header.firstSequence === name.firstSequence &&',
      'header.firstSequence >= 0 &&',
    ],
  ]),
  ...mutantsOf(`${WAL}/format/checked-lines.ts`, [
    [
      'the checksum of MANIFEST and FLOORS is not looked at',
      'damage to a log that was closed',
      'return withChecksum(lines) === text ? lines : undefined;',
      'return lines;',
    ],
  ]),
  ...mutantsOf(`${STATE}/append/commit-appender.ts`, [
    [
      'an append asks no clock whether it is believed',
      CLOCK,
      'clock().assertTrusted();\n    checkpoints',
      'checkpoints',
    ],
  ]),
  ...mutantsOf(`${WAL}/wal-maintenance.ts`, [
    [
      'what has left for the archive is not found until the next start',
      TAGS,
      'const entries = withArchived(archive, live);',
      'const entries = live;',
    ],
  ]),
  ...mutantsOf(`${WAL}/disk/file-copy.ts`, [
    [
      'restore: a segment is not synced before it gets its name',
      'a restore',
      'await target.dataSyncAsync();',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/append/log-clock.ts`, [
    [
      "the log's time outruns the monotonic clock",
      CLOCK,
      'if (wallMillis - expectedMillis > skewMillisMax)',
      'if (wallMillis - expectedMillis > Infinity)',
    ],
    [
      "a clock that is not believed is the log's time",
      CLOCK,
      "fault === 'ahead' ? expectedMillis : wallMillis",
      'wallMillis',
    ],
    [
      'corrections within the bound add up to a jump',
      CLOCK,
      'this.anchor = { wallMillis: expectedMillis + away, monotonicMillis };',
      'this.anchor = { wallMillis, monotonicMillis };',
    ],
    [
      'events are recorded while the last one is ahead of the wall clock',
      CLOCK,
      'if (isBehind && lastMillis > this.standsAtMillis)',
      'if (isBehind && lastMillis < 0)',
    ],
    [
      'an accepted clock may step back as it likes',
      CLOCK,
      'if (isBehind && expectedMillis - wallMillis > skewMillisMax)',
      'if (isBehind && expectedMillis < 0)',
    ],
    [
      "the log's time goes back with the wall clock",
      CLOCK,
      'Math.max(this.lastMillis(), believed)',
      'believed',
    ],
    [
      'a start believes every clock',
      CLOCK,
      'if (lastMillis > 0 && wallMillis - lastMillis > gapMillisMax)',
      'if (lastMillis < 0)',
    ],
    [
      'a time that was accepted once is accepted at every start',
      CLOCK,
      'if (named !== undefined && Math.abs(wallMillis - named) <= ACCEPTANCE_MILLIS_MAX)',
      'if (named !== undefined)',
    ],
    [
      'acceptance at a start is not heard',
      CLOCK,
      'if (named !== undefined && Math.abs(wallMillis - named) <= ACCEPTANCE_MILLIS_MAX)',
      'if (named === 0)',
    ],
  ]),
  ...mutantsOf(`${STATE}/index/indexed-events.ts`, [
    [
      'a tag finds an older event than its newest',
      TAGS,
      'let index = tags.length(tag) - 1; index >= 0; index--',
      'let index = Math.max(0, tags.length(tag) - 2); index >= 0; index--',
    ],
    [
      'a tag is new again where the beginning of the log has gone',
      TAGS,
      'if (event === undefined && position >= this.events.firstPosition) continue;',
      'if (event === undefined) continue;',
    ],
    [
      'what compaction dropped hides the events before it',
      TAGS,
      'if (event === undefined && position >= this.events.firstPosition) continue;',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/checkpoint/checkpointer.ts`, [
    [
      'takeover: a checkpoint does not ask whether the log is still its own',
      'a writer that is fenced while it makes a checkpoint',
      'log.assertUnfenced();\n      const answer = await thread.run(',
      'const answer = await thread.run(',
    ],
    [
      'a checkpoint does not look how many pages a reading holds',
      'a state that is read while it changes',
      'await pages.released(() => this.mayWait());',
      '',
    ],
    ['a checkpoint does not wait for its log', STEPS, 'await log.flush();', ''],
    [
      'the floor moves before the checkpoint is written',
      STEPS,
      'const chunks = await store.encode(overlay);',
      'log.moveFloor(position);\n      const chunks = await store.encode(overlay);',
    ],
    [
      'the floor moves before the record',
      STEPS,
      'await record.change(facts);',
      'log.moveFloor(position);\n    await record.change(facts);',
    ],
    [
      'a checkpoint counts what came while it was made',
      STEPS,
      'logId: log.logId,\n      position,',
      'logId: log.logId,\n      position: log.lastPosition,',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/store/checkpointed-section.ts`, [
    ['what is being checkpointed cannot be read', STEPS, ' ?? this.fromFrozen(key)', ''],
    [
      'what only the database has is not found',
      TAGS,
      'if (populated === undefined || !isKey(key)) return ABSENT;',
      'if (populated === undefined || isKey(key)) return ABSENT;',
    ],
    [
      'what was frozen first hides what was frozen later',
      TAGS,
      'for (let at = this.frozen.length - 1; at >= 0; at--)',
      'for (let at = 0; at < this.frozen.length; at++)',
    ],
    ['what was frozen goes on changing', STEPS, 'this.active = new Map();', ''],
    [
      'a changed key stays in the cache',
      STEPS,
      'if (!this.young.delete(key)) this.old.delete(key);',
      '',
    ],
    [
      "a value's checksum is not looked at",
      'damage to a value of the state',
      'crc32(text, crc32(head)) !== stored.readUInt32LE(0)',
      'crc32(text, crc32(head)) < 0',
    ],
    [
      'a key is absent because LMDB does not find it',
      'damage to a key of the state',
      'this.owner.assertAbsent(keyBytes);',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/pages/state-tree.ts`, [
    [
      'a key is absent whatever stands beside it',
      'damage to a key of the state',
      "if (!this.isSound(leaf, node)) throw new Fault('an entry beside a missing key is damaged');",
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/thread/state-writer.ts`, [
    [
      'what another folding has of its own is taken over too',
      'a state of another folding, taken over',
      'if (isLeftOut(image)) return;',
      '',
    ],
    [
      'the digest keeps what an entry was before',
      STEPS,
      'digest.remove(imageOf(key, before.subarray(CHECKSUM_BYTES)));',
      'void 0;',
    ],
    ['a deleted entry stays in the database', STEPS, 'database.removeSync(key);', ''],
    [
      'the digest begins anew with each checkpoint',
      STEPS,
      'before === undefined ? new StateDigest() : StateDigest.of(before)',
      'new StateDigest()',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/database/state-database.ts`, [
    [
      "the mark's checksum is not looked at",
      'damage to the mark of a checkpoint',
      ' || stored.readUInt32LE(0) !== checksumOf(image)',
      '',
    ],
    [
      "the length of the database's file is not looked at",
      'a state whose database was cut',
      'return size < needed ?',
      'return size < 0 ?',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/database/state-scan.ts`, [
    [
      'the digest of what was read through is not compared',
      'an entry of the state exchanged under its own checksum',
      'if (digest.toString() !== mark.digest)',
      "if (digest.toString() === '')",
    ],
  ]),
  ...mutantsOf(`${STATE}/state/model/state-source.ts`, [
    [
      'a state is of the log whatever its history',
      'a state of another history',
      'return log.timelineAt(position as Position) === timeline;',
      "return timeline !== '';",
    ],
  ]),
  ...mutantsOf(`${STATE}/state/model/state-options.ts`, [
    [
      'a snapshot of another folding is used',
      'a state of another folding',
      'options.takesOver[stateVersion]?.leaveOut;',
      'options.takesOver[stateVersion]?.leaveOut ?? [];',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/directory/state-directory.ts`, [
    [
      'takeover: the lock of a generation is not asked for',
      'a state whose log was taken over',
      'hasLocks: lock !== undefined && own !== undefined,',
      'hasLocks: lock !== undefined,',
    ],
    [
      'takeover: a generation that is begun has no lock',
      'a state whose log was taken over',
      'do own = tryLock(directory, lockNameOf(++generation));\n    while (own === undefined);',
      'generation++;',
    ],
    [
      'a database that killed the last start is opened again',
      'what a start that died has left in the record',
      "if (facts.opening) return 'the last start died while it opened the database';",
      '',
    ],
    [
      'a database that kills whoever reads it through is opened for ever',
      'what a start that died has left in the record',
      'if (facts.unverifiedStarts >= UNVERIFIED_STARTS_MAX)',
      'if (facts.unverifiedStarts < 0)',
    ],
    [
      'a database that was found to be damaged is opened again',
      'what a start that died has left in the record',
      'if (facts.rebuild !== undefined) return facts.rebuild;',
      '',
    ],
    [
      'a start that was refused leaves the record of one that died',
      'a start that finds no beginning for the state',
      'await record.change(facts).catch(() => undefined);',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/directory/open-generation.ts`, [
    [
      'the seal of the branches is not compared',
      'damage to branches of the state',
      "return isSameSeal(newest, tree) ? 'sealed' : 'damaged';",
      "return 'sealed';",
    ],
    [
      'a database that nothing vouches for is not read through',
      'damage to branches of a state that is ahead of its record',
      'isVouchedFor ? undefined : await faultWithin(path)',
      'isVouchedFor ? undefined : undefined',
    ],
    [
      'a state of another folding is used',
      'a state of another folding',
      'if (mark.stateVersion !== stateVersion)',
      "if (mark.stateVersion === '')",
    ],
    [
      'a state of another history is used',
      'a state of another history',
      "if (!isOfLog(mark, log)) return 'it is of another history than the log';",
      '',
    ],
    [
      'what a checkpoint has seen is forgotten with it',
      'a state that is ahead of its log',
      'if (mark !== undefined) assertNotAhead(mark, log);',
      '',
    ],
    [
      'a start that was refused counts as one that died',
      'a state that is ahead of its log',
      'await record.change({ opening: false, unverifiedStarts });',
      '',
    ],
    [
      'a start does not say that it opens the database',
      'the names of a state on the disk',
      '{ opening: true, unverifiedStarts: unverifiedStarts + 1 }',
      '{ unverifiedStarts: unverifiedStarts + 1 }',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/directory/begin-generation.ts`, [
    [
      'the record does not name the generation that was begun',
      'what a start that died has left in the record',
      'await record.change({ generation, ...begun, checkpoint, tree });',
      '',
    ],
    [
      'the old state goes before the new one is filled',
      'a start that finds no beginning for the state',
      'if (holdsAll) await take();',
      'await take();',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/directory/state-record.ts`, [
    [
      "the record's checksum is not looked at",
      'damage to the record of the state',
      ' || checksum !== checksumText(body)',
      '',
    ],
    [
      'the record gets its name before it is synced',
      'the names of a state on the disk',
      'await file.sync();',
      '',
    ],
    [
      "the record's name is not synced",
      'the names of a state on the disk',
      'await syncDirectoryAsync(this.directory);',
      '',
    ],
    [
      'what a process says of damage before it ends is not synced',
      'the names of a state on the disk',
      'fs.fsyncSync(descriptor);',
      '',
    ],
    [
      'the name of what a process says of damage is not synced',
      'the names of a state on the disk',
      'syncDirectory(this.directory);',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/checkpoint/state-snapshots.ts`, [
    [
      'takeover: a snapshot gets its name without asking whether the log is still its own',
      'a writer that is fenced while it makes a snapshot',
      'log.assertUnfenced();\n      await draft.publish(path);',
      'await draft.publish(path);',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/checkpoint/checkpointed-state.ts`, [
    [
      'damage is told before it is on record',
      'the names of a state on the disk',
      "this.condemn(reason);\n    this.options.onEvent({ kind: 'damaged', reason });",
      "this.options.onEvent({ kind: 'damaged', reason });\n    this.condemn(reason);",
    ],
  ]),
  ...mutantsOf(`${STATE}/state/snapshot/snapshot-work.ts`, [
    [
      'a snapshot is not read back',
      'the names of a state on the disk',
      'await readBack(path, options, (read) =>',
      'await ((...work: unknown[]) => Promise.resolve(work))(path, options, (read: number) =>',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/snapshot/snapshot-file.ts`, [
    [
      'a snapshot gets its name before it is synced',
      'the names of a state on the disk',
      'fs.fsyncSync(this.descriptor);',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/snapshot/snapshot-draft.ts`, [
    [
      "a snapshot's name is not synced before the older one goes",
      'the names of a state on the disk',
      'await syncDirectoryAsync(dirname(path));',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/durable-directory.ts`, [
    [
      'the directory of the state or of snapshots is not synced in the one above it',
      'the names of a state on the disk',
      'syncDirectory(dirname(made));',
      '',
    ],
  ]),
  ...mutantsOf(`${STATE}/state/snapshot/snapshots.ts`, [
    [
      'a snapshot of another history is used',
      'a state of another history',
      'if (!isOfLog(mark, log))',
      "if (mark.logId === '')",
    ],
    [
      'one snapshot is kept',
      'snapshots, and a log that was shortened to them',
      'SNAPSHOTS_KEPT = 2;',
      'SNAPSHOTS_KEPT = 1;',
    ],
    [
      'the oldest snapshots are kept',
      'snapshots, and a log that was shortened to them',
      'b.position - a.position',
      'a.position - b.position',
    ],
  ]),
  ...mutantsOf(`${STATE}/retention.ts`, [
    [
      'retention goes by the newest snapshot',
      'snapshots, and a log that was shortened to them',
      'newestFirst[SNAPSHOTS_NEEDED - 1]',
      'newestFirst[0]',
    ],
  ]),
];
