/** Reads the JSON body of a request, bounded for each request and for all at once. */
import type { IncomingMessage } from 'node:http';
import { type Answer, refusal } from './answer.js';

export const bodyLimits = {
  /** A configuration as JSON; the file itself is at most 1 MiB. */
  bytesMax: 2 * 1024 ** 2,
  /** Bodies being received, all together. */
  bytesTotalMax: 8 * 1024 ** 2,
} as const;

export type Body = { readonly value: unknown } | { readonly refused: Answer };

export class BodyReader {
  /** Bytes held for bodies that are not complete. */
  #held = 0;

  async read(request: IncomingMessage): Promise<Body> {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > bodyLimits.bytesMax) return { refused: tooLarge() };
    const { 'content-type': type = '' } = request.headers;
    if (!/^application\/json *(?:;|$)/i.test(type)) {
      return { refused: refusal('not_json', 'send the body as `content-type: application/json`') };
    }
    return this.#collect(request);
  }

  async #collect(request: IncomingMessage): Promise<Body> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      // Without `destroyOnReturn: false` a refusal would destroy the socket before it is sent.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        length += chunk.length;
        this.#held += chunk.length;
        if (length > bodyLimits.bytesMax) return { refused: tooLarge() };
        if (this.#held > bodyLimits.bytesTotalMax) {
          return { refused: refusal('busy', 'too many bodies are being received: try again') };
        }
      }
      return parse(Buffer.concat(chunks));
    } catch {
      return { refused: refusal('bad_request', 'the body ended early') }; // and nobody is there to read it
    } finally {
      this.#held -= length;
    }
  }
}

const tooLarge = (): Answer =>
  refusal(
    'body_too_large',
    `the body is larger than ${bodyLimits.bytesMax} bytes, which no configuration needs`,
  );

function parse(bytes: Buffer): Body {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (error) {
    const why = bytes.length === 0 ? 'there is no body' : (error as Error).message;
    return { refused: refusal('bad_json', `the body is not JSON: ${why.slice(0, MESSAGE_CHARACTERS_MAX)}`) };
  }
}

/** V8 quotes the text around the error. */
const MESSAGE_CHARACTERS_MAX = 200;
