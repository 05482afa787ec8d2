/** What memory a configuration takes at a peak. */
import { expect, test } from 'vitest';
import { demandOf } from '../../src/budget/demand.js';
import { memoryPeaks } from '../../src/budget/memory.js';
import { itemsOf } from '../../src/budget/need.js';
import { gateLimits } from '../../src/forward-proxy/users/index.js';
import { hashText } from '../../src/forward-proxy/users/phc.js';
import { configOf } from '../config/support.js';

const MIB = 1024 ** 2;
const hashWith = (ln: number): string =>
  hashText({ ln, r: 8, p: 1, salt: Buffer.alloc(16), hash: Buffer.alloc(32) });
const passwordsOf = (proxy: string) =>
  itemsOf(memoryPeaks, demandOf(configOf(`server: { workers: 3 }\n${proxy}`))).find(
    ({ name }) => name === 'passwords',
  );

test('passwords of the proxy take what the dearest hash says, as many as are computed at once', () => {
  const users = `alice: "${hashWith(14)}", bob: "${hashWith(16)}"`;
  expect(passwordsOf(`connect_proxy: { users: { ${users} } }`)).toMatchObject({
    count: 3 * gateLimits.atOnce,
    each: 64 * MIB,
  });
});

test('without users there are none', () =>
  expect(passwordsOf('connect_proxy: { allow_from: ["10.0.0.0/8"] }')).toBeUndefined());
