/** How large the receive buffers of datagram sockets are, and when it is said that they are smaller. */
import { afterEach, expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { ReceiveBuffers } from '../../src/primary/receive-buffers.js';
import type { SocketGroup } from '../../src/primary/socket-group.js';

const fds: number[] = [];
afterEach(() => {
  for (const fd of fds.splice(0)) native.closeFd(fd);
});

const address = { kind: 'inet', host: '127.0.0.1', port: 0, text: '127.0.0.1:0' } as const;

function group(transport: 'tcp' | 'udp', ...sockets: number[]): SocketGroup {
  const open = sockets.map((fd) => ({ fd, socket: fd }));
  return { transport, address, bound: '127.0.0.1:1', sockets: open, retiring: [], file: null };
}

/** A kernel that gives so much at most. */
function stage(most: number) {
  const set: number[] = [];
  const warned: object[] = [];
  const give = (fd: number, bytes: number) => {
    set.push(fd);
    return Math.min(bytes, most);
  };
  return {
    set,
    warned,
    buffers: new ReceiveBuffers(give, { warn: (fields: object) => warned.push(fields) } as never),
  };
}

test('of datagram sockets alone; what the kernel gives less is said once', () => {
  const { set, warned, buffers } = stage(1000);
  const groups = [group('tcp', 1), group('udp', 2, 3)];
  buffers.fit(groups, 4000);
  buffers.fit(groups, 4000);
  expect(set).toEqual([2, 3, 2, 3]);
  expect(warned).toEqual([{ receive_buffer: 4000, given: 1000 }]);
  buffers.fit(groups, 5000);
  expect(warned).toHaveLength(2);
  buffers.fit(groups, 1000);
  expect(warned).toHaveLength(2);
});

test('nothing is said without datagrams', () => {
  const { warned, buffers } = stage(1);
  buffers.fit([group('tcp', 1)], 4000);
  expect(warned).toEqual([]);
});

test('a socket has what it was given, and keeps it when it has as much', () => {
  const fd = native.bindUdp({ host: '127.0.0.1', port: 0 }, { reusePort: false, receiveBuffer: 8192 });
  fds.push(fd);
  expect(native.setReceiveBuffer(fd, 8192)).toBe(8192);
  expect(native.setReceiveBuffer(fd, 16_384)).toBe(16_384);
  expect(native.setReceiveBuffer(fd, 16_384)).toBe(16_384);
});
