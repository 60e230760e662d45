// Where the partitions of a Cluster are.
import { describe, expect, test } from 'vitest';
import { clusterTags, keyspaceOf, slotOf } from './keyspace';

/** CRC-16/XMODEM, by which a Cluster knows the slot of a hash tag: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec */
function slotOfTag(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % 16_384;
}

describe('the partitions of a Cluster', () => {
  test('are each in the midst of their part of all slots', () => {
    // The example of the specification.
    expect(slotOfTag('123456789')).toBe(0x31c3);
    expect(clusterTags.map(slotOfTag)).toEqual(clusterTags.map((_, partition) => slotOf(partition)));
    expect(clusterTags.map((_, partition) => slotOf(partition))).toEqual(
      Array.from({ length: 32 }, (_, i) => i * 512 + 256),
    );
  });

  test('are shared evenly by as many masters as there are, if the slots are', () => {
    for (let masters = 1; masters <= 32; masters++) {
      const counts = Array.from({ length: masters }, () => 0);
      for (const partition of clusterTags.keys()) {
        const of = Math.floor((slotOf(partition) * masters) / 16_384);
        counts[of] = (counts[of] as number) + 1;
      }
      expect(Math.max(...counts) - Math.min(...counts), `${masters} masters`).toBeLessThanOrEqual(1);
    }
  });

  test('have other names than that of a single Redis, and names go to all of them', () => {
    expect(clusterTags).not.toContain('0');
    const { partitionOf } = keyspaceOf('halyard', clusterTags);
    const counts = clusterTags.map(() => 0);
    for (let i = 0; i < 32_000; i++) {
      const partition = partitionOf(`room ${i}`);
      counts[partition] = (counts[partition] as number) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });
});
