/** What the kernel says of connections that nobody could accept. */
import { expect, test } from 'vitest';
import { listenLosses } from '../../src/primary/listen-losses.js';

const table = (names: string, values: string) =>
  `IpExt: InNoRoutes\nIpExt: 7\nTcpExt: ${names}\nTcpExt: ${values}\n`;

test('columns are found by their names', () =>
  expect(listenLosses(() => table('SyncookiesSent ListenDrops TW ListenOverflows', '1 12 3 9'))).toEqual({
    overflows: 9,
    drops: 12,
  }));

test('of this kernel they are numbers', () =>
  expect(listenLosses()).toEqual({ overflows: expect.any(Number), drops: expect.any(Number) }));

test.each([
  ['nothing', ''],
  ['no such column', table('SyncookiesSent ListenDrops', '1 12')],
  ['fewer values than names', table('ListenDrops ListenOverflows', '12')],
  ['no number', table('ListenDrops ListenOverflows', '12 x')],
])('%s: it is not known', (_, text) => expect(listenLosses(() => text)).toBeNull());

test('a file that may not be read: it is not known', () =>
  expect(
    listenLosses(() => {
      throw new Error('EACCES');
    }),
  ).toBeNull());
