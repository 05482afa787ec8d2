/** What is answered to bytes that Node's parser refuses: the status, said in JSON, while the client may still send. */
import type { Socket } from 'node:net';
import { type ErrorCode, refusal } from './answer.js';

/** A client that does not close would keep a socket that is only half closed. */
const LINGER_MS = 1000;

const STATUS_TEXT = 'Refused';

/** A listener for `clientError`. */
export function refuseMalformed(headerBytesMax: number) {
  /** By the parser's code. */
  const known: Readonly<Record<string, readonly [ErrorCode, string]>> = {
    HPE_HEADER_OVERFLOW: ['headers_too_large', `the headers have more than ${headerBytesMax} bytes`],
    ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time'],
  };
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (!socket.writable || socket.bytesWritten > 0) {
      socket.destroy();
      return;
    }
    const { status, body } = refusal(
      ...(known[error.code ?? ''] ?? (['bad_request', 'this is not HTTP/1.1'] as const)),
    );
    const head = `HTTP/1.1 ${status} ${STATUS_TEXT}\r\nconnection: close\r\ncontent-type: application/json\r\n`;
    socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
