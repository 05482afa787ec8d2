/** A first flight behind a load balancer: a PROXY header, then the session to identify. */
import type { Transport } from '../model/protocol.js';
import { type Identified, identifyBytes } from './identify.js';
import { type ProxyHeader, readProxyHeader } from './proxy-header.js';

/** As identifyBytes, applied to the bytes behind the header; byte counts are from the start of the flight. */
export function identifyFlight(segments: readonly Uint8Array[], transport: Transport): Identified {
  const bytes = Buffer.concat(transport === 'udp' ? segments.slice(0, 1) : segments);
  const answer = readProxyHeader(bytes, transport);
  if (answer.verdict === 'header') return behindHeader(segments, transport, answer.header);
  const identified = identifyBytes(segments, transport);
  if (answer.verdict === 'no' || identified.verdict === 'match') return identified;
  const { bytesNeeded } = answer;
  return { protocol: null, verdict: 'more', decidedAtByte: bytes.length, bytesNeeded, facts: {} };
}

function behindHeader(
  segments: readonly Uint8Array[],
  transport: Transport,
  { headerBytes, facts }: ProxyHeader,
): Identified {
  const behind = transport === 'udp' ? segments.flatMap(withoutHeader) : skip(segments, headerBytes);
  const identified = identifyBytes(behind, transport);
  const { decidedAtByte, bytesNeeded } = identified;
  return {
    ...identified,
    decidedAtByte: headerBytes + decidedAtByte,
    bytesNeeded: bytesNeeded === null ? null : headerBytes + bytesNeeded,
    facts: { ...identified.facts, ...facts },
  };
}

/** Each datagram has a header; one that has none is not the session's. */
function withoutHeader(datagram: Uint8Array): Uint8Array[] {
  const answer = readProxyHeader(datagram, 'udp');
  return answer.verdict === 'header' ? [datagram.subarray(answer.header.headerBytes)] : [];
}

/** The segments without their first `count` bytes. */
function skip(segments: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  return segments.flatMap((segment) => {
    const skipped = Math.min(left, segment.length);
    left -= skipped;
    return skipped === segment.length ? [] : [segment.subarray(skipped)];
  });
}
