/** The proxy of 30 lines that one writes in Node: what native code and tables spare. */
import { resolve } from 'node:path';
import type { Rival } from '../contender.js';
import { started } from './started.js';

const PROXY = resolve('bench/system/contenders/node-proxy.mjs');

export const node: Rival = {
  name: 'Node',
  version: () => process.versions.node,
  packages: 'nodejs',
  lacks({ setting, unfinished }) {
    if (setting.listeners !== undefined || setting.operated) return 'has no metrics';
    if ((setting.workers ?? 1) > 1) return 'has one thread';
    if (setting.accessLog) return 'has no log';
    if (setting.refused) return 'refuses no networks';
    if (setting.sni) return 'reads no names';
    return unfinished ? 'waits for no whole opening' : null;
  },
  start: (target, { wrapper }) =>
    started({
      name: 'Node',
      wrapper,
      command: (port) => [process.execPath, PROXY, `${port}`, `${target}`],
    }),
};
