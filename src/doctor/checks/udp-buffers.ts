/** Receive buffers of datagram listeners: what a burst leaves behind while the worker is elsewhere. */
import { bytesText } from '../../base/figures.js';
import type { Check } from '../check.js';
import { datagramListeners } from '../datagram-listeners.js';
import { setSysctl, sysctl } from '../readers.js';

const MAX = 'net.core.rmem_max';
/** 10 ms of 1 Gbit/s in datagrams of 1,200 bytes, each of which the kernel accounts with about twice its size. */
const NEEDED = 2.5 * 1024 ** 2;

export const udpBuffers: Check = {
  name: 'udp_buffers',
  examine: ({ config, machine }) => {
    if (datagramListeners(config).length === 0) return [];
    const finding = { what: MAX, needed: bytesText(NEEDED) };
    const most = sysctl(machine, MAX);
    if (most === null) return [{ ...finding, verdict: 'unknown', there: 'no such sysctl' }];
    if (most >= NEEDED) return [{ ...finding, verdict: 'ok', there: bytesText(most) }];
    const why = 'bursts of datagrams are dropped (nstat UdpRcvbufErrors)';
    return [{ ...finding, verdict: 'note', there: bytesText(most), why, remedies: [setSysctl(MAX, NEEDED)] }];
  },
};
