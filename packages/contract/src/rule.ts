// What may be told of an issue: where it is, and the rule, and nothing of the value. Libraries put that into their messages ("must be
// a string (was 5)", "Expected number but received 5"), each in its own way.
import type { Issue } from './schema';

/** Words behind which libraries say what they were given: "but received 5", ", received 5", "(was 5)". */
const givenWords =
  /(?:,?\s+but\s+(?:received|got|was|the final value was)|,\s*(?:received|actual|got|found)|:\s*received|\s*\(was|\s+with value)\b[\s\S]*$/i;

/** A name of a field, and not what somebody may have made a key: an address, an id, a token. */
const fieldName = /^[A-Za-z_$][\w$]{0,31}$/;

/** So many texts and numbers are looked for in a message; of an input that has more, no message is told. */
const leavesMax = 4_096;
/** Of a longer text the beginning gives it away: some libraries cut it. */
const tellingChars = 8;
/** It may be as long as what came. */
const messageCharsMax = 500;
const ruleCharsMax = 200;
const depthMax = 16;
const unnamed = 'is not valid';

/** @param input all that was checked, in which the issue is somewhere */
export function ruleOf(issue: Issue, input: unknown): string {
  // That of arktype is the message without the path in front.
  const { message, problem = message } = issue as Issue & { readonly problem?: unknown };
  const told = typeof problem === 'string' ? plain(problem.slice(0, messageCharsMax).replace(givenWords, '')) : '';
  const leaves = new Set<string>();
  if (!gather(input, leaves, 0)) return unnamed;
  const rule = [...leaves].sort((a, b) => b.length - a.length).reduce(without, told);
  return rule.length > ruleCharsMax ? `${rule.slice(0, ruleCharsMax - 1)}…` : rule || unnamed;
}

/** @returns the path as texts and numbers, without keys that may be part of the data */
export function pathOf({ path = [] }: Issue): (string | number)[] {
  // Not by its own methods: that of arktype has others under their names.
  return Array.from(path, (part) => {
    const key = typeof part === 'object' ? part.key : part;
    return typeof key === 'number' || fieldName.test(String(key)) ? (key as string | number) : '…';
  }).slice(0, depthMax);
}

/** @returns a rule without one of the texts that came: where it stands as a word of its own; from a long one's beginning on, all */
function without(rule: string, leaf: string): string {
  if (leaf.length <= tellingChars) {
    if (!rule.includes(leaf)) return rule;
    const literal = leaf.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    // So short a text is a word of the rule itself, unless it is quoted.
    const isWord = leaf.length < 3 && /^\p{L}+$/u.test(leaf);
    const [before, after] = isWord ? ['(?<=["\'`])', '(?=["\'`])'] : ['(?<![\\p{L}\\p{N}])', '(?![\\p{L}\\p{N}])'];
    return rule.replace(new RegExp(`${before}${literal}${after}`, 'gu'), '…');
  }
  const rest = rule.replaceAll(leaf, '…');
  const at = rest.indexOf(leaf.slice(0, tellingChars));
  // It was cut, or written in another way.
  return at < 0 ? rest : `${rest.slice(0, at)}…`;
}

/** With blanks between words alone. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** @returns whether these are all there are */
function gather(value: unknown, leaves: Set<string>, depth: number): boolean {
  if (leaves.size > leavesMax || depth > depthMax) return false;
  const add = (text: string): void => {
    const leaf = plain(text);
    if (leaf !== '') leaves.add(leaf);
  };
  switch (typeof value) {
    case 'string':
      add(value);
      // Some write it as JSON has it.
      add(JSON.stringify(value).slice(1, -1));
      return true;
    case 'number':
    case 'bigint':
      add(String(value));
      return true;
    case 'object':
      break;
    default:
      return true;
  }
  if (value === null) return true;
  if (value instanceof Date) {
    add(String(value));
    if (!Number.isNaN(value.getTime())) add(value.toISOString());
    return true;
  }
  if (value instanceof Uint8Array) {
    add(String(value.subarray(0, tellingChars)));
    return true;
  }
  return Object.entries(value).every(([key, item]) => {
    if (!Array.isArray(value) && !fieldName.test(key)) add(key);
    return gather(item, leaves, depth + 1);
  });
}
