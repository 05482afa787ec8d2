/** What this machine's kernel allows this process, read from /proc. */
import { readFileSync } from 'node:fs';
import { hasCapability } from '../base/capabilities.js';

export interface Kernel {
  /** Congestion controls that are loaded; empty: not known. */
  readonly congestion: readonly string[];
  /** Those for processes without CAP_NET_ADMIN. */
  readonly congestionForAll: readonly string[];
  /** CAP_NET_ADMIN is effective. */
  readonly mayAdminister: boolean;
  /** CAP_NET_RAW or CAP_NET_ADMIN is effective. */
  readonly mayBeTransparent: boolean;
  readonly interfaces: readonly string[];
}

/** Of a machine that is judged elsewhere: allows everything. */
export const UNJUDGED_KERNEL: Kernel = {
  congestion: [],
  congestionForAll: [],
  mayAdminister: true,
  mayBeTransparent: true,
  interfaces: [],
};

export function readKernel(): Kernel {
  const words = (file: string) => textOf(file).split(/\s+/).filter(Boolean);
  const status = textOf('/proc/self/status');
  const mayAdminister = hasCapability(status, 'CAP_NET_ADMIN');
  return {
    congestion: words('/proc/sys/net/ipv4/tcp_available_congestion_control'),
    congestionForAll: words('/proc/sys/net/ipv4/tcp_allowed_congestion_control'),
    mayAdminister,
    mayBeTransparent: mayAdminister || hasCapability(status, 'CAP_NET_RAW'),
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
