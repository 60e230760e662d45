// A schema of any library that keeps to Standard Schema, version 1: as much of its interface as is used here. What it is, is
// https://standardschema.dev; the types are written anew, so that a contract brings no package.

export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    /** Which library it is of. */
    readonly vendor: string;
    validate(value: unknown): Validated<Output> | Promise<Validated<Output>>;
    /** For the compiler alone: it is not there. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** What is wrong with a value, and where in it. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What goes in. */
export type Input<S> = S extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer In }
    ? In
    : unknown
  : unknown;

/** What a schema makes of it. */
export type Output<S> = S extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Out }
    ? Out
    : unknown
  : unknown;

/** @returns what is not as it is in a schema; undefined of one */
export function faultOfSchema(value: unknown): string | undefined {
  // Those of arktype are functions.
  const isHolder = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const standard = isHolder ? (value as Partial<Schema>)['~standard'] : undefined;
  if (typeof standard !== 'object' || standard === null || typeof standard.validate !== 'function') {
    return `is no schema: it may be one of zod, valibot, arktype, or any library of standardschema.dev, and is ${kindOf(value)}`;
  }
  const { version } = standard;
  return version === 1 ? undefined : `is a schema of version ${String(version)} of Standard Schema, and not of 1`;
}

/** What something is, for people. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
