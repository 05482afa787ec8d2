/** What a client sent, and from where, before the listener looks at it: a PROXY header is taken off first. */
import { parseEndpoint } from '../../base/address.js';
import { createNetworkSet } from '../../base/network.js';
import type { PlanListener } from '../../model/plan.js';
import { readProxyHeader } from '../../protocols/proxy-header.js';

export interface Opening {
  /** The client's address, without port; empty when it is not known. */
  readonly source: string;
  readonly bytes: Uint8Array;
}

export interface Taken extends Opening {
  /** Bytes of the header, which are not part of the session. */
  readonly headerBytes: number;
  /** `due`: a header must come first, and is not whole; `missing`: it must, and it is none. */
  readonly header: 'none' | 'read' | 'due' | 'missing';
}

export function takeHeader({ proxyProtocol }: PlanListener, { source, bytes }: Opening): Taken {
  const trusted = proxyProtocol !== null && createNetworkSet(proxyProtocol.trusted)(source);
  if (!trusted) return { source, bytes, headerBytes: 0, header: 'none' };
  const answer = readProxyHeader(bytes);
  if (answer.verdict !== 'header') {
    return { source, bytes, headerBytes: 0, header: answer.verdict === 'more' ? 'due' : 'missing' };
  }
  const { headerBytes, addresses } = answer.header;
  return {
    source: addresses === null ? source : hostOf(addresses.source),
    bytes: bytes.subarray(headerBytes),
    headerBytes,
    header: 'read',
  };
}

function hostOf(text: string): string {
  const address = parseEndpoint(text);
  return address !== null && 'host' in address ? address.host : '';
}
