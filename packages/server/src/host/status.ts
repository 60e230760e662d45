// Status lines of HTTP answers.
import { STATUS_CODES } from 'node:http';

/** @returns such as `404 Not Found` */
export function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}
