import { describe, expect, it } from 'vitest';
import { unavailableText } from './show.ts';
import { unavailableIndices, type Shards } from './unavailable.ts';

const shard = (index: string, number: number, node: string | null, state = 'STARTED'): Shards[number] => ({
  index,
  shard: String(number),
  state,
  node,
});

describe('indices that are away during a turn', () => {
  it('are those of which a shard has no copy on another node', () => {
    const found = unavailableIndices([
      shard('whole', 0, 'es-1'),
      shard('whole', 0, 'es-2'),
      shard('single', 0, 'es-3'),
      shard('single', 1, 'es-1'),
      shard('replica-not-placed', 0, 'es-2'),
      shard('replica-not-placed', 0, null, 'UNASSIGNED'),
      shard('replica-comes-up', 0, 'es-1'),
      shard('replica-comes-up', 0, 'es-2', 'INITIALIZING'),
      shard('moves', 0, 'es-1 -> 10.0.0.2 abc es-2', 'RELOCATING'),
    ]);
    expect([...found]).toEqual([
      ['moves', ['es-1']],
      ['replica-comes-up', ['es-1']],
      ['replica-not-placed', ['es-2']],
      ['single', ['es-1', 'es-3']],
    ]);
    expect(unavailableText(found)).toContain('single: during the turn of es-1, es-3');
  });

  it('are none where every shard has a copy elsewhere', () => {
    const none = unavailableIndices([shard('whole', 0, 'es-1'), shard('whole', 0, 'es-2')]);
    expect(unavailableText(none)).toContain('no index is away');
  });
});
