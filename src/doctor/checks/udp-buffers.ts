/**
 * Receive buffers of datagram listeners: what a burst leaves behind while the worker is elsewhere. CAP_NET_ADMIN may have
 * more than net.core.rmem_max.
 */
import { bytesText } from '../../base/figures.js';
import type { Check } from '../check.js';
import { datagramSockets } from '../datagram-listeners.js';
import { may, setSysctl, sysctl } from '../readers.js';

const MAX = 'net.core.rmem_max';

export const udpBuffers: Check = {
  name: 'udp_buffers',
  examine: ({ config, machine }) => {
    if (datagramSockets(config).length === 0) return [];
    const wanted = config.server.udp.receiveBufferBytes;
    const finding = { what: MAX, needed: bytesText(wanted) };
    const most = sysctl(machine, MAX);
    if (may(machine, 'CAP_NET_ADMIN')) {
      const there = most === null ? 'CAP_NET_ADMIN' : `${bytesText(most)}, and CAP_NET_ADMIN`;
      return [{ ...finding, verdict: 'ok', there }];
    }
    if (most === null) return [{ ...finding, verdict: 'unknown', there: 'no such sysctl' }];
    if (most >= wanted) return [{ ...finding, verdict: 'ok', there: bytesText(most) }];
    const why = `each socket has ${bytesText(most)}, and bursts beyond it are dropped (anyport_udp_dropped_total, reason kernel)`;
    const remedies = [
      setSysctl(MAX, wanted),
      'AmbientCapabilities=CAP_NET_ADMIN  # in a systemd unit',
      `server.udp.receive_buffer: ${most}  # instead`,
    ];
    return [{ ...finding, verdict: 'note', there: bytesText(most), why, remedies }];
  },
};
