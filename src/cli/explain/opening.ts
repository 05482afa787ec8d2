/** The client's bytes and address as the listener sees them, after parsing a PROXY header. */
import { parseEndpoint } from '../../base/address.js';
import { createNetworkSet, UNIX_PEERS } from '../../base/network.js';
import type { Doubtful, Facts } from '../../model/facts.js';
import type { PlanListener } from '../../model/plan.js';
import type { Transport } from '../../model/protocol.js';
import { readProxyHeader } from '../../protocols/proxy-header.js';

export interface Opening {
  /** The client's address without port; empty if not known. */
  readonly source: string;
  readonly bytes: Uint8Array;
  /** With `udp` the bytes are a datagram. Default `tcp`. */
  readonly transport?: Transport;
}

export interface Taken extends Required<Opening> {
  /** Facts from the header. */
  readonly facts: Facts;
  /** Not empty if the header's host name is ambiguous. */
  readonly doubtful: Doubtful;
  /** Length of the header, which is not part of the session. */
  readonly headerBytes: number;
  /** A required header is `due` while incomplete, `missing` if the bytes are none. */
  readonly header: 'none' | 'read' | 'due' | 'missing';
}

export function takeHeader({ proxyProtocol }: PlanListener, opening: Opening): Taken {
  const { source, bytes, transport = 'tcp' } = opening;
  const nothing = { source, bytes, transport, headerBytes: 0, facts: {}, doubtful: [] };
  if (proxyProtocol === null || !isTrusted(proxyProtocol.trusted, source))
    return { ...nothing, header: 'none' };
  const answer = readProxyHeader(bytes, transport);
  if (answer.verdict !== 'header') {
    return { ...nothing, header: answer.verdict === 'more' ? 'due' : 'missing' };
  }
  const { headerBytes, addresses, facts, doubtful } = answer.header;
  return {
    source: addresses === null ? source : (hostOf(addresses.source) ?? source),
    bytes: bytes.subarray(headerBytes),
    transport,
    headerBytes,
    facts,
    doubtful,
    header: 'read',
  };
}

/** Clients of Unix sockets have no address. */
const isTrusted = (trusted: readonly string[], source: string): boolean =>
  source === '' ? trusted.includes(UNIX_PEERS) : createNetworkSet(trusted)(source);

/** A Unix socket path can not be a client's address here. */
function hostOf(text: string): string | undefined {
  const address = parseEndpoint(text);
  return address !== null && 'host' in address ? address.host : undefined;
}
