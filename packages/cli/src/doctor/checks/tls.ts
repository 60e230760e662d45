// Whether clients take the certificate, for how long they will, and which HTTP is spoken.
import type { PeerCertificate } from 'node:tls';
import { hostOf, isSecure, portOf } from '../../base/target';
import { type Greeting, greet } from '../../probe/tls';
import { type Check, fault, note, type Outcome, ok, warning } from '../check';
import type { Visit } from '../visit';

const dayMs = 86_400_000;
/** Whoever renews by themselves has done so by then. */
const soonDays = 14;

export const tls: Check = {
  name: 'tls',
  about: 'the certificate is one that clients take: its time, its names, who has signed it',
  needs: 'host',
  async run(visit) {
    const { target, waitMs } = visit.options;
    const [host, port] = [hostOf(target), portOf(target)];
    if (!isSecure(target)) return insecure(visit, host, port);
    const greeting = await greet(host, port, waitMs);
    if (greeting.kind === 'failed') {
      visit.isThere = false;
      return [await noTls(visit, greeting)];
    }
    const { certificate, distrust, version, alpn, tookMs } = greeting;
    const found: Outcome[] = [];
    if (distrust !== undefined) {
      visit.isTrusted = false;
      found.push(untrusted(distrust, certificate, host));
    } else {
      const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / dayMs);
      const is = `${version} in ${tookMs.toFixed(0)} ms, and the certificate is good for ${days} more days.`;
      found.push(
        days < soonDays
          ? warning(
              `The certificate ends in ${days} days, at ${certificate.valid_to}.`,
              'Is its renewal at work? A proxy has to be reloaded after it.',
            )
          : ok(is),
      );
    }
    if (alpn !== 'h2') {
      found.push(
        note(
          'HTTP/2 is not spoken there: a browser has six connections to a host, for all its tabs, which sse and polling share.',
          'WebSockets are not concerned. At a proxy, let it speak HTTP/2 with clients (nginx: "listen 443 ssl http2;").',
        ),
      );
    }
    return found;
  },
};

async function insecure(visit: Visit, host: string, port: number): Promise<Outcome[]> {
  const { waitMs, target } = visit.options;
  const isOwn = host === 'localhost' || host === '::1' || host.startsWith('127.');
  const plain = note(
    'The connection is not encrypted: everybody on the way can read it, and take the session.',
    'Pages that came by https cannot connect to it, and proxies of networks break WebSockets that they can see into. Use TLS.',
  );
  // Who speaks TLS alone answers nothing that is HTTP, or says so in a page.
  const answer = await visit.ask({}).catch(() => undefined);
  const seemsSecure = answer === undefined || (answer.status === 400 && /HTTPS port/i.test(answer.body.toString()));
  if (seemsSecure && (await greet(host, port, waitMs)).kind === 'tls') {
    visit.isThere = false;
    return [
      fault(
        `Port ${port} of ${host} speaks TLS, and was asked without it.`,
        `Connect to ${target.origin.replace('http:', 'https:')}.`,
      ),
    ];
  }
  return isOwn ? [] : [plain];
}

async function noTls(visit: Visit, { code, message }: Extract<Greeting, { kind: 'failed' }>): Promise<Outcome> {
  const { target, waitMs } = visit.options;
  const plain = target.origin.replace('https:', 'http:');
  const isPlain = await visit.asker.ask(`${plain}${visit.path}`, { method: 'GET', waitMs }).then(
    () => true,
    () => false,
  );
  if (isPlain) {
    return fault(
      'There is no TLS at this port: it speaks HTTP without it.',
      `Connect to ${plain}, or let the server end TLS (io.listen(443, { tls })), or a proxy in front of it.`,
    );
  }
  return fault(
    `The TLS handshake fails: ${message} (${code}).`,
    'Old versions of TLS, and what is no TLS at all, look like this.',
  );
}

function untrusted(code: string, certificate: PeerCertificate, host: string): Outcome {
  const { valid_to: end, valid_from: begin, subjectaltname: names } = certificate;
  const rest = 'No browser and no client connects. Nothing secret (--auth-file, --header) was said on this visit.';
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return fault(
        `The certificate has expired at ${end}. ${rest}`,
        'Renew it, and reload what ends TLS: nginx reads certificates only when it starts and at "nginx -s reload".',
        'If it is not so: is the clock of this machine right?',
      );
    case 'CERT_NOT_YET_VALID':
      return fault(`The certificate is not valid before ${begin}. ${rest}`, 'Are the clocks of both machines right?');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return fault(
        `The certificate is not for ${host}: it has ${names ?? 'no names'}. ${rest}`,
        'Connect by a name that it has, or get one that has this name. Which certificate is shown goes by the name: nginx by "server_name".',
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return fault(
        `The certificate is signed by itself, or by somebody whom this machine does not know. ${rest}`,
        "For all the world: one of a certificate authority, such as Let's Encrypt. For a company or a test: tell each client of it,",
        'Node by NODE_EXTRA_CA_CERTS=/path/to/ca.pem in its environment, which holds for this command too.',
      );
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return fault(
        `Who has signed the certificate is not known here, and the server does not show it (${code}). ${rest}`,
        'Mostly the intermediate certificate is missing, which browsers may find by themselves: nginx wants the whole chain,',
        '  ssl_certificate /etc/letsencrypt/live/NAME/fullchain.pem;',
        'For an authority of your own: NODE_EXTRA_CA_CERTS=/path/to/ca.pem in the environment of Node, also of this command.',
      );
    default:
      return fault(`The certificate is not taken: ${code}. ${rest}`);
  }
}
