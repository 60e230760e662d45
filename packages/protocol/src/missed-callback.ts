// What a handler is told that is made for Socket.IO, whose handlers are given a callback for the reply.
import { quoted } from './debug';

/** As users of Socket.IO call what it gives to handlers last. */
const names = 'cb|callback|ack|acknowledge|fn|done|respond|reply|next';
const isParameter = /* @__PURE__ */ new RegExp(`^\\s*(?:\\.\\.\\.)?(?:${names})\\b`, 'i');
const isError = /* @__PURE__ */ new RegExp(`^(?:${names}) is not a function`);

/** Whether a handler has failed because it has called a callback that it was not given. */
export function isMissedCallback(error: unknown): error is TypeError {
  return error instanceof TypeError && isError.test(error.message);
}

/**
 * Of handlers that have returned nothing where a reply is waited for.
 * @param count how many arguments they had
 * @returns what to say if one of them has a parameter for a callback, which it was not given
 */
export function missedCallbackOf(
  event: string,
  handlers: readonly ((...args: never[]) => unknown)[],
  count: number,
): string | undefined {
  const isMissed = handlers.some((handler) =>
    parametersOf(handler)
      .slice(count)
      .some((parameter) => isParameter.test(parameter)),
  );
  if (!isMissed) return undefined;
  return (
    `The handler of ${quoted(event)} has a parameter for a callback, and has returned nothing, while a reply is waited for: no callback is given, ` +
    'what a handler returns, or its promise resolves to, is the reply. Return null if that is meant to be none.'
  );
}

/** @returns the parameters of a function as they are written, without what is within braces and brackets of theirs */
function parametersOf(handler: (...args: never[]) => unknown): string[] {
  let [head = ''] = Function.prototype.toString.call(handler).split(/=>|\)\s*\{/, 1);
  for (let inner = ''; inner !== head; ) {
    inner = head;
    head = inner.replace(/\{[^{}]*\}|\[[^[\]]*\]/g, '');
  }
  return head.replace(/^(?:async\s+)?[^(]*\(|^async\s+/, '').split(',');
}
