/** Which hosts are this machine or its link, whatever the network is. */
import { expect, test } from 'vitest';
import { isOwnHost } from '../../src/base/own-host.js';

test.each([
  ...[
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
  ],
  ...['::ffff:7f00:1', 'fe80::1', 'fd00:ec2::254', 'localhost', 'LOCALHOST.', 'a.localhost'],
])('%s is this machine itself', (host) => expect(isOwnHost(host)).toBe(true));

test.each(['172.17.0.2', '10.0.0.1', 'fd00::1', '2001:db8::1', 'web', 'localhost.example'])(
  '%s is another one',
  (host) => expect(isOwnHost(host)).toBe(false),
);
