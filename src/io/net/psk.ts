/**
 * TLS by a key that all nodes have, instead of certificates.
 *
 * TLS 1.3 with an external pre-shared key and an ephemeral key exchange (psk_dhe_ke, RFC 8446, section 4.2.9): who has the key gets in,
 * and whoever gets hold of it later cannot read what was recorded before. OpenSSL neither offers nor takes psk_ke, the mode without that
 * exchange, unless told to. A server checks the key in the first message, before it does any sum for its own half of the exchange, and
 * sends a wrong one away.
 *
 * One suite, so that there is nothing to negotiate: ChaCha20-Poly1305, because the Raspberry Pis up to the 4 have no AES instructions;
 * its hash is SHA-256, the only one that OpenSSL takes for a key without one.
 *
 * Neither side has certificates or believes in any: a server that proves itself by a certificate instead of the key is refused.
 *
 * Further reading: RFC 8446; RFC 9257, "Guidance for External Pre-Shared Key Usage in TLS"; node:tls, "Pre-shared keys".
 */
import { constants, hkdfSync } from 'node:crypto';
import type { ConnectionOptions, TLSSocket, TlsOptions } from 'node:tls';
import { TuttiError } from '../../core/errors.js';

/** The one suite that is spoken. */
export const TLS_SUITE = 'TLS_CHACHA20_POLY1305_SHA256';
/** Length of a cluster's key, bytes. */
export const KEY_BYTES = 32;
/** Names the key on the wire: there is one. */
const PSK_IDENTITY = 'tutti';

const SUITE_OPTIONS = {
  // Nobody's certificate is believed. Left out, Node reads some 140 roots, which takes longer than all else that a link does to start.
  ca: [],
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: TLS_SUITE,
  // A ticket would let its holder in later without the key.
  secureOptions: constants.SSL_OP_NO_TICKET,
} satisfies TlsOptions;

/** The key of this use, from the cluster's key: other uses derive others, so that no two ever share one (RFC 5869). */
function pskOf(key: Uint8Array): Buffer {
  if (key.length !== KEY_BYTES) {
    throw new TuttiError('BAD_REQUEST', `A cluster key is ${KEY_BYTES} bytes, not ${key.length}.`);
  }
  return Buffer.from(hkdfSync('sha256', key, '', 'tutti peer link', KEY_BYTES));
}

/** For who listens. @throws TuttiError BAD_REQUEST where the key has another length */
export function serverOptions(key: Uint8Array): TlsOptions {
  const psk = pskOf(key);
  return { ...SUITE_OPTIONS, pskCallback: (_socket, identity) => (identity === PSK_IDENTITY ? psk : null) };
}

/** For who connects. @throws TuttiError BAD_REQUEST where the key has another length */
export function clientOptions(key: Uint8Array): ConnectionOptions {
  const psk = pskOf(key);
  return {
    ...SUITE_OPTIONS,
    pskCallback: () => ({ psk, identity: PSK_IDENTITY }),
    checkServerIdentity: () => new Error('certificates are not believed here'),
  };
}

/** True where who was connected to has proven the key: OpenSSL shows a pre-shared key as a session that goes on. */
export const hasProvenKey = (socket: TLSSocket): boolean =>
  socket.isSessionReused() && Object.keys(socket.getPeerCertificate() ?? {}).length === 0;

/**
 * Why a connection to `address` came to nothing.
 *
 * The server's alert is all that a client learns of a refused key: `illegal_parameter` is what OpenSSL sends for it
 * (RFC 8446, section 4.2.11.2 leaves the choice), `decrypt_error` what others do.
 */
export function connectError(address: string, error: Error & { readonly code?: string }): TuttiError {
  const code = error.code ?? '';
  if (/ALERT_(ILLEGAL_PARAMETER|DECRYPT_ERROR|UNKNOWN_PSK_IDENTITY)/.test(code)) {
    return new TuttiError('KEY_REFUSED', `The node at ${address} has another cluster key.`, {}, error);
  }
  // Errors of the network have the names of errno(3), or none where the other end hung up; what is left is what TLS says of a stranger.
  if (code === '' || /^E(?!RR_|PROTO$)/.test(code)) {
    return new TuttiError('PEER_UNREACHABLE', `${address} does not answer (${code || error.message}).`, {}, error);
  }
  return new TuttiError('BAD_ANSWER', `What listens at ${address} is no node of Tutti (${code}).`, {}, error);
}

/** The error for a server that speaks TLS and did not prove the key. */
export const unprovenError = (): Error =>
  Object.assign(new Error('the server did not prove the key'), { code: 'ERR_TLS_KEY_NOT_PROVEN' });
