// In production nobody types: what is here does nothing, and a minifier leaves out the calls.
export const checkHabits = (_options: unknown, _url?: unknown): void => {};
export const answerHabits = (_owner: string, _object: object): void => {};
export const checkScheme = (_url: unknown): void => {};
export const standIn = (_url: unknown): undefined => undefined;
export const atHome = <Options>(options: Options, _origin: string): Options => options;
export const explain = (_error: unknown): void => {};
export const lookForCallback = (_event: string, _handlers: unknown, _args: unknown, _value: unknown): void => {};
