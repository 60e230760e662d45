// A value that an error names: text in quotes, so that "100" is told from 100.
import { quoted } from '@halyard/protocol';

export function given(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  return Array.isArray(value) ? `[${value.map(given).join(', ')}]` : String(value);
}
