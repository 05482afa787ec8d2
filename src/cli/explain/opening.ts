/** What a client sent, and from where, before the listener looks at it: a PROXY header is taken off first. */
import { parseEndpoint } from '../../base/address.js';
import { createNetworkSet, UNIX_PEERS } from '../../base/network.js';
import type { Doubtful, Facts } from '../../model/facts.js';
import type { PlanListener } from '../../model/plan.js';
import { readProxyHeader } from '../../protocols/proxy-header.js';

export interface Opening {
  /** The client's address, without port; empty when it is not known. */
  readonly source: string;
  readonly bytes: Uint8Array;
}

export interface Taken extends Opening {
  /** What the header says. */
  readonly facts: Facts;
  /** Not empty where it names a host that can not be read for certain. */
  readonly doubtful: Doubtful;
  /** Bytes of the header, which are not part of the session. */
  readonly headerBytes: number;
  /** `due`: a header must come first, and is not whole; `missing`: it must, and it is none. */
  readonly header: 'none' | 'read' | 'due' | 'missing';
}

export function takeHeader({ proxyProtocol }: PlanListener, { source, bytes }: Opening): Taken {
  const nothing = { source, bytes, headerBytes: 0, facts: {}, doubtful: [] };
  if (proxyProtocol === null || !isTrusted(proxyProtocol.trusted, source))
    return { ...nothing, header: 'none' };
  const answer = readProxyHeader(bytes);
  if (answer.verdict !== 'header') {
    return { ...nothing, header: answer.verdict === 'more' ? 'due' : 'missing' };
  }
  const { headerBytes, addresses, facts, doubtful } = answer.header;
  return {
    source: addresses === null ? source : (hostOf(addresses.source) ?? source),
    bytes: bytes.subarray(headerBytes),
    headerBytes,
    facts,
    doubtful,
    header: 'read',
  };
}

/** A client of a unix socket has no address. */
const isTrusted = (trusted: readonly string[], source: string): boolean =>
  source === '' ? trusted.includes(UNIX_PEERS) : createNetworkSet(trusted)(source);

/** A path is no address that a client can have come from here. */
function hostOf(text: string): string | undefined {
  const address = parseEndpoint(text);
  return address !== null && 'host' in address ? address.host : undefined;
}
