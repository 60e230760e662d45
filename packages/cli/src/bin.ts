#!/usr/bin/env node
// The command `halyard`: the first word is which command it is, and the rest is for that.
import { readFileSync } from 'node:fs';
import { LocalUsageError } from '@halyard/protocol';
import { bench } from './commands/bench';
import type { Command } from './commands/command';
import { connect } from './commands/connect';
import { docs } from './commands/docs';
import { doctor } from './commands/doctor';
import { tail } from './commands/tail';

const commands: readonly Command[] = [doctor, connect, bench, docs, tail];

const nameChars = 10;

const usage = `halyard COMMAND URL [options]

${commands.map(({ name, about }) => `  ${name.padEnd(nameChars)}${about}`).join('\n')}

halyard COMMAND --help says what each takes, halyard --version which version this is.
`;

/** @returns whether it was called wrongly, which `parseArgs` says by errors of its own */
function isUsage(error: unknown): error is Error {
  return error instanceof LocalUsageError || String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(usage);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    console.log(version);
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    // Without its command a URL stands there, and it may hold a password.
    const which = /^[\w-]+$/.test(name) ? `command "${name}"` : 'such command';
    console.error(`There is no ${which}.\n\n${usage}`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (!isUsage(error)) throw error;
    console.error(`${error.message}\n\nhalyard ${name} --help says what it takes.`);
    return 2;
  }
}

// Who reads no more, such as head, has seen enough.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 1));

process.exitCode = await main(process.argv.slice(2));
