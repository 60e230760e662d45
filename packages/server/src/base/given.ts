// A value that an error names: text in quotes, so that "100" is told from 100.
import { quoted } from '@halyard/protocol';

export function given(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : String(value);
}
