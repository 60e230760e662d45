// The data model of docs/PROTOCOL.md §3.

/** What every codec carries and gives back equal. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly Value[]
  | { readonly [key: string]: Value | undefined };
