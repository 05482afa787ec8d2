/** Round trips of datagrams on flows that stay: binding requests of STUN, which an echo sends back. */
import type { Workload } from './workload.js';

const HEADER_BYTES = 20;
const ATTRIBUTE_BYTES = 4;

/** RFC 8489 section 5, with one attribute PADDING (RFC 5780 section 7.6), which the load fills up. `bytes`: whole words of four. */
export function stunHead(bytes: number): string {
  const head = Buffer.alloc(HEADER_BYTES + ATTRIBUTE_BYTES);
  head.writeUInt16BE(0x0001, 0);
  head.writeUInt16BE(bytes - HEADER_BYTES, 2);
  head.writeUInt32BE(0x2112a442, 4);
  head.writeUInt16BE(0x0026, HEADER_BYTES);
  head.writeUInt16BE(bytes - head.length, HEADER_BYTES + 2);
  return head.toString('hex');
}

/** Not less than the header, and a multiple of four. */
const whole = (bytes: number): number => Math.max(HEADER_BYTES + ATTRIBUTE_BYTES, bytes - (bytes % 4));

export const udp: Workload = {
  name: 'udp',
  words: 'round trips of datagrams of 64 bytes, on flows that stay',
  unit: 'round trip',
  measures: 'units',
  connections: [1, 64],
  bytes: { usual: 64, most: 65_504 },
  datagrams: true,
  sections: (endpoint) => ({
    listeners: [{ name: 'bench', address: '127.0.0.1:0', transport: 'udp' }],
    protocols: [{ name: 'stun', target: endpoint }],
  }),
  client: ({ bytes }) => ({ kind: 'flow', bytes: whole(bytes), head: stunHead(whole(bytes)) }),
};
