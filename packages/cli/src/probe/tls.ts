// A TLS handshake by hand: what is presented, and what the system says of it.
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';

export type Greeting =
  | {
      readonly kind: 'tls';
      /** Such as `TLSv1.3`. */
      readonly version: string;
      /** `h2`, `http/1.1`, or empty. */
      readonly alpn: string;
      readonly certificate: PeerCertificate;
      /** Why clients do not take the certificate, by the code of Node; undefined if they do. */
      readonly distrust: string | undefined;
      readonly tookMs: number;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export function greet(host: string, port: number, waitMs: number): Promise<Greeting> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host, port },
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ['h2', 'http/1.1'],
      // It is judged here, and what is wrong besides is still looked for.
      rejectUnauthorized: false,
    });
    const settle = (greeting: Greeting): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(greeting);
    };
    const limit = setTimeout(
      () => settle({ kind: 'failed', code: 'ETIMEDOUT', message: 'no handshake in time' }),
      waitMs,
    );
    socket.on('secureConnect', () => {
      const { code } = (socket.authorizationError ?? {}) as { code?: string };
      settle({
        ...{ kind: 'tls', version: socket.getProtocol() ?? '', alpn: socket.alpnProtocol || '' },
        certificate: socket.getPeerCertificate(),
        distrust: socket.authorized ? undefined : (code ?? String(socket.authorizationError)),
        tookMs: performance.now() - begun,
      });
    });
    socket.on('error', ({ code = '', message }: NodeJS.ErrnoException) => settle({ kind: 'failed', code, message }));
    socket.on('close', () => settle({ kind: 'failed', code: 'ECONNRESET', message: 'the connection was closed' }));
  });
}
