// Where everything is: names of keys and channels, each in its partition. All keys of a partition begin with one text that has its hash
// tag, so that they are in one slot.
import { LocalUsageError } from '@halyard/protocol';

/**
 * One for each partition of a Cluster. Their slots are apart by 512, each in the midst of its part of all 16,384: so as many masters as
 * there are, up to 32, have an even share. None is that of a single Redis, so that what one has said means nothing to the other.
 */
export const clusterTags: readonly string[] = [
  ...['2464', '69235', '56283', '21365', '27938', '19264', '10563', '17019', '69306', '2557', '12295', '9058'],
  ...['19357', '49541', '1878', '9495', '26479', '4892', '2602', '5378', '3925', '40113', '39288', '16995'],
  ...['17781', '15589', '44875', '2731', '40020', '3816', '5686', '49727'],
];

/** @param partition of a Cluster */
export function slotOf(partition: number): number {
  return partition * 512 + 256;
}

export interface Keyspace {
  readonly partitions: number;
  /** @param name of a log, or id of a session */
  partitionOf(name: string): number;
  /** What all keys and channels of a partition begin with. */
  base(partition: number): string;
}

/** @param prefix of all names @param tags one for each partition */
export function keyspaceOf(prefix: string, tags: readonly string[]): Keyspace {
  const bases = tags.map((tag) => `${prefix}:{${tag}}`);
  const partitions = bases.length;
  return {
    partitions,
    partitionOf: (name) => (partitions === 1 ? 0 : hashOf(name) % partitions),
    base(partition) {
      const base = bases[partition];
      if (base === undefined) throw new LocalUsageError('ERR_PARTITION', `there is no partition ${partition}`);
      return base;
    },
  };
}

/** @returns the name of a channel: of a log, of what nobody keeps, of what a node is told */
export function channelOf(keyspace: Keyspace, partition: number, kind: 'log' | 'say' | 'to', name: string): string {
  return `${keyspace.base(partition)}:${kind}:${name}`;
}

/** @returns things by the partition that each is of, in their order */
export function byPartition<Item>(items: Iterable<Item>, partitionOf: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const partition = partitionOf(item);
    const group = groups.get(partition);
    if (group === undefined) groups.set(partition, [item]);
    else group.push(item);
  }
  return groups;
}

/** FNV-1a of a text: every server has to come to the same. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
