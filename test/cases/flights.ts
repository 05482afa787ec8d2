/**
 * First flights of real clients, recorded over loopback (flights.jsonl), and some noise. Read from the project's
 * root, because the compiled benches use them too.
 */
import { readFileSync } from 'node:fs';
import type { Transport } from '../../src/model/protocol.js';

export interface Flight {
  readonly id: string;
  /** Protocol id, or a class without a protocol: `none`, `other`, `truncated`. */
  readonly label: string;
  /** A refinement: `resp2`, `inline`, `websocket` … */
  readonly sub: string | undefined;
  readonly transport: Transport;
  /**
   * Whether a match is required. `ambiguous`, `need-more`: allowed, but no other name; `waits`: the client sent
   * nothing (behind a PROXY header).
   */
  readonly expect: 'match' | 'none' | 'need-more' | 'ambiguous' | 'waits';
  /** Parameters given to the client; `of`: protocol of a truncated flight; `inner`: protocol behind a PROXY header. */
  readonly attrs: Readonly<Record<string, unknown>>;
  /** One per read. */
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
