// What a server writes its log to: pino, or whatever takes the same.

/** Takes fields and a message, as pino does. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type LogLevel = keyof Logger;

export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
