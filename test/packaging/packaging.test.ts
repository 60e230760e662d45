// What is published: packed once, and everything here is asked of these archives. Each of the files below has tests.
import { afterAll, beforeAll } from 'vitest';
import { packages } from './packages';

beforeAll(() => packages.pack());
afterAll(() => packages.end());

await import('./installs');
await import('./archives');
await import('./type-checks');
await import('./public-types');
await import('./quick-start');
