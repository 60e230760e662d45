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

/** An object of an interface, which the compiler does not take for a `Value`; no function. What is in it is looked at as it is encoded. */
export type InterfaceInput = object & { readonly call?: never };
