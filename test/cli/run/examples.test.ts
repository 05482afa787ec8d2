import { expect, test } from 'vitest';
import { examplesFor } from '../../../src/cli/run/examples.js';

test.each([
  ['127.0.0.1:9090', 'curl http://127.0.0.1:9090/', 'redis-cli -p 9090 ping'],
  ['0.0.0.0:80', 'curl http://127.0.0.1:80/', 'redis-cli -p 80 ping'],
  ['[::]:80', 'curl http://127.0.0.1:80/', 'redis-cli -p 80 ping'],
  ['127.0.0.2:80', 'curl http://127.0.0.2:80/', 'redis-cli -h 127.0.0.2 -p 80 ping'],
  ['[::1]:80', 'curl http://[::1]:80/', 'redis-cli -h ::1 -p 80 ping'],
  ['unix:/run/a.sock', 'curl --unix-socket /run/a.sock http://localhost/', 'redis-cli -s /run/a.sock ping'],
  ['unix:@a', 'curl --abstract-unix-socket a http://localhost/'],
] as const)('on %s', (address, ...examples) => expect(examplesFor(address)).toEqual(examples));
