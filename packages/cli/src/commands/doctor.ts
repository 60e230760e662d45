// `halyard doctor URL`: what is wrong on the way to a server, and what to do about it.
import { parseArgs } from 'node:util';
import { wholeNumber } from '../base/option';
import { jsonOf } from '../base/plain';
import { styleOf } from '../base/style';
import { checks, diagnose } from '../doctor/diagnose';
import { lineOf, summaryOf } from '../doctor/report';
import { authIn, type Command, commonOptions, commonUsage, headersIn, urlIn } from './command';

const nameChars = 12;

const usage = `halyard doctor URL [options]

Takes the way to a Halyard server that a client takes, says what is wrong on it, and which line to change. It enters the
namespace that stands behind the host of the URL ("/" if none does) once, and leaves.

  --origin ORIGIN   of the pages that are to connect, such as https://app.example (default: the server's own)
  --idle-ms N       for how long connections are left silent, to see whether a proxy cuts them (default 12000; 0: not at all)
  --wait-ms N       what each answer may take (default 5000)
${commonUsage}

It looks at:
${checks.map(({ name, about }) => `  ${name.padEnd(nameChars)}${about}`).join('\n')}

It ends with 0 if there is no fault, with 1 if there is one, and with 2 if it was called wrongly.
`;

export const doctor: Command = {
  name: 'doctor',
  about: 'what is wrong on the way to a server, and which line to change',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...commonOptions,
        origin: { type: 'string' },
        'idle-ms': { type: 'string', default: '12000' },
        'wait-ms': { type: 'string', default: '5000' },
      },
    });
    const { path, codec, origin, json } = values;
    const style = styleOf(process.stdout);
    const idleMs = wholeNumber('--idle-ms', values['idle-ms'], 0, 600_000);
    const isTerminal = process.stdout.isTTY === true && !json;
    const clearLine = '\r\u001b[K';
    const diagnosis = await diagnose(urlIn(positionals), {
      ...{ path, codec, origin, idleMs },
      waitMs: wholeNumber('--wait-ms', values['wait-ms'], 100, 60_000),
      headers: headersIn(values.header),
      auth: await authIn(values),
      onCheck(name) {
        if (!isTerminal) return;
        const how = name === 'idle' && idleMs > 0 ? `, which takes ${idleMs / 1_000} s` : '';
        process.stdout.write(`${clearLine}${style.dim(`… ${name}${how}`)}`);
      },
      onFinding(finding) {
        if (isTerminal) process.stdout.write(clearLine);
        if (!json) console.log(lineOf(finding, style));
      },
    });
    if (isTerminal) process.stdout.write(clearLine);
    console.log(json ? jsonOf(diagnosis, 2) : summaryOf(diagnosis, style));
    return diagnosis.healthy ? 0 : 1;
  },
};
