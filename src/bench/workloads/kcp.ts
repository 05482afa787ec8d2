/** Sessions through a link of KCP between two daemons; figures are those of the one behind the link. */
import { randomBytes } from 'node:crypto';
import type { Document } from '../../model/config.js';
import { download } from './bulk.js';
import { ping } from './ping.js';
import { twoProtocols, type Workload } from './workload.js';

const link = { link: { secret: randomBytes(32).toString('hex') } };

const behind = (endpoint: string): Document => ({
  ...twoProtocols(endpoint),
  kcp: link,
  listeners: [{ name: 'bench', address: '127.0.0.1:0', transport: 'kcp', kcp: 'link' }],
});

/** The other end, which clients connect to. */
const front = (server: string): Document => ({
  kcp: link,
  listeners: [{ name: 'near', address: '127.0.0.1:0' }],
  routes: [{ when: { listener: 'near' }, to: 'far' }],
  upstreams: { far: { endpoints: [server], over: 'kcp', kcp: 'link' } },
});

export const kcpPing: Workload = {
  ...ping,
  name: 'kcp-ping',
  words: 'the same as ping, through a link of KCP',
  connections: [64],
  sections: behind,
  front,
};

export const kcpDownload: Workload = {
  ...download,
  name: 'kcp-down',
  words: 'the same as bulk-down, through a link of KCP',
  sections: behind,
  front,
};
