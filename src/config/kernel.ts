/** What this machine's kernel allows this process, read from /proc. */
import { readFileSync } from 'node:fs';

export interface Kernel {
  /** Congestion controls that are loaded; empty: not known. */
  readonly congestion: readonly string[];
  /** Those for processes without CAP_NET_ADMIN. */
  readonly congestionForAll: readonly string[];
  /** CAP_NET_ADMIN is effective. */
  readonly mayAdminister: boolean;
  readonly interfaces: readonly string[];
}

/** capabilities(7) */
const CAP_NET_ADMIN = 12n;

export function readKernel(): Kernel {
  const words = (file: string) => textOf(file).split(/\s+/).filter(Boolean);
  const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(textOf('/proc/self/status'))?.[1] ?? '0';
  return {
    congestion: words('/proc/sys/net/ipv4/tcp_available_congestion_control'),
    congestionForAll: words('/proc/sys/net/ipv4/tcp_allowed_congestion_control'),
    mayAdminister: ((BigInt(`0x${capabilities}`) >> CAP_NET_ADMIN) & 1n) === 1n,
    interfaces: [...textOf('/proc/self/net/dev').matchAll(/^\s*([^\s:]+):/gm)].map(([, name = '']) => name),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
