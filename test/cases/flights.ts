/**
 * First flights of real clients, recorded over loopback (flights.jsonl), and some noise. Read from the project's
 * root, because the compiled benches use them too.
 */
import { readFileSync } from 'node:fs';
import type { Transport } from '../../src/model/protocol.js';

export interface Flight {
  readonly id: string;
  /** The protocol's id, or a class of bytes that have none: `none`, `other`, `truncated`. */
  readonly label: string;
  /** A refinement: `resp2`, `inline`, `websocket` … */
  readonly sub: string | undefined;
  readonly transport: Transport;
  /** Is a match due? `ambiguous` and `need-more`: it may be said, but nothing else may; `waits`: nothing was sent (behind a PROXY header). */
  readonly expect: 'match' | 'none' | 'need-more' | 'ambiguous' | 'waits';
  /** What the client was told to say; `of`: the protocol of a flight that was cut; `inner`: the one behind a PROXY header. */
  readonly attrs: Readonly<Record<string, unknown>>;
  /** One a read. */
  readonly segments: readonly Uint8Array[];
  readonly bytes: Uint8Array;
}

export const flights: readonly Flight[] = readFileSync('test/cases/flights.jsonl', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const { segments, attrs = {}, ...rest } = JSON.parse(line);
    const reads = segments.map((segment: string) => Buffer.from(segment, 'base64'));
    return { ...rest, attrs, segments: reads, bytes: Buffer.concat(reads) };
  });
