// Whether the clocks of both machines agree.
import { type Check, ok, warning } from '../check';

/** A header tells whole seconds, and some of them pass on the way. */
const skewMsMax = 30_000;

export const clock: Check = {
  name: 'clock',
  about: 'the clocks of both sides agree (header Date)',
  needs: 'server',
  async run({ answer }) {
    const date = Date.parse(answer?.headers.date ?? '');
    if (answer === undefined || Number.isNaN(date)) return [];
    const skewMs = date - answer.at;
    const seconds = Math.round(Math.abs(skewMs) / 1_000);
    if (Math.abs(skewMs) <= skewMsMax) return [ok(`The clocks agree, to ${Math.max(seconds, 1)} s.`)];
    return [
      warning(
        `The clock of what answers is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the one of this machine (${answer.headers.date}).`,
        'Halyard does not go by it; certificates and tokens with an expiry do. Let both machines ask a time server (timedatectl, chrony).',
      ),
    ];
  },
};
