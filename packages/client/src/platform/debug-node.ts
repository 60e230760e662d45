// Where what happens is told in Node: on stderr, if the environment variable DEBUG asks for it.
import { createLog, type Debug } from './debug';

export const debug: Debug = {
  log: createLog(process.env.DEBUG, (name, line) => {
    process.stderr.write(`${new Date().toISOString()} ${name} ${line}\n`);
  }),
};
