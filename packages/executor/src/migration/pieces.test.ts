import { describe, expect, it } from 'vitest';
import { fileSystemIn } from './copy-tools.ts';
import { piecesWithData } from './file-content.ts';
import { inLanes } from './in-lanes.ts';
import { NotKept } from './not-kept.ts';

describe('what of a chunk is written where holes stay holes', () => {
  const chunk = (blocks: string, more = 0) =>
    Buffer.concat([
      ...Array.from(blocks, (block) => Buffer.alloc(4096, block === '0' ? 0 : 1)),
      Buffer.alloc(more),
    ]);
  it.each([
    ['nothing', chunk('000'), []],
    ['nothing of an end shorter than a block, with all else zero', chunk('0', 7), []],
    ['all', chunk('11'), [[0, 8192]]],
    ['the middle', chunk('010'), [[4096, 8192]]],
    [
      'runs',
      chunk('1100110'),
      [
        [0, 8192],
        [16384, 24576],
      ],
    ],
    [
      'an end shorter than a block',
      chunk('10', 7),
      [
        [0, 4096],
        [8192, 8199],
      ],
    ],
    ['nothing of nothing', Buffer.alloc(0), []],
  ])('%s', (_, buffer, expected) => {
    expect(piecesWithData(buffer).map(({ start, end }) => [start, end])).toEqual(expected);
  });
});

describe('what is mounted at a path', () => {
  const TABLE = [
    '27 1 254:0 / / rw - ext4 /dev/vda rw',
    '42 27 0:40 / /mnt/v1 rw,nosuid shared:5 - fuse.rclone :local:/r rw',
    String.raw`43 27 0:41 / /mnt/a\040b rw - tmpfs tmpfs rw`,
    '44 27 0:42 / /mnt/v2 rw - ext4 /dev/vdb rw',
    '45 27 0:43 / /mnt/v2 rw - fuse.rclone x rw',
  ].join('\n');
  it.each([
    ['/mnt/v1', 'fuse.rclone'],
    ['/mnt/a b', 'tmpfs'],
    ['/mnt/v2', 'fuse.rclone'],
    ['/mnt/v1/nodes', undefined],
  ])('%s: %s', (path, expected) => {
    expect(fileSystemIn(TABLE, path)).toBe(expected);
  });
});

describe('work in lanes', () => {
  it('is done once for each, and never by more at a time', async () => {
    const seen: number[] = [];
    let [now, most] = [0, 0];
    await inLanes([...Array(50).keys()], 4, async (item) => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      seen.push(item);
      now -= 1;
    });
    expect(seen.sort((a, b) => a - b)).toEqual([...Array(50).keys()]);
    expect(most).toBe(4);
  });

  it('begins nothing new after a failure, and throws that one', async () => {
    let begun = 0;
    const work = inLanes([...Array(50).keys()], 2, async (item) => {
      begun += 1;
      await Promise.resolve();
      if (item === 3) throw new Error('item 3');
    });
    await expect(work).rejects.toThrow('item 3');
    expect(begun).toBeLessThan(8);
  });
});

describe('what is not kept', () => {
  it('is said with one place for each, and how many more', () => {
    const notKept = new NotKept();
    const file = { uid: 1000n, gid: 1000n, mode: 0o100600n, mtimeNs: 5n };
    notKept.compareAccess('a', file, { ...file, uid: 0n });
    notKept.compareAccess('b', file, { ...file, uid: 0n, mode: 0o100644n });
    notKept.compareTimes('a', file, file);
    notKept.say('anything else');
    expect(notKept.words()).toEqual(['ownership (of a and 1 more)', 'modes (of b)', 'anything else']);
  });
});
