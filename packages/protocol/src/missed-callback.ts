// What a handler is told that is made for Socket.IO, whose handlers are given a callback for the reply.
import { quoted } from './debug';

/** As users of Socket.IO call what it gives to handlers last. */
const callbackName = /^\s*(?:\.\.\.)?(?:cb|callback|ack|acknowledge|fn|done|respond|reply|next)\b/i;

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
      .some((parameter) => callbackName.test(parameter)),
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
