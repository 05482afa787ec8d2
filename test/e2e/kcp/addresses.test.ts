/** An upstream that is reached through a link, whose endpoint is a name with several addresses. */

import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { StartOptions } from '../../support/daemon.js';
import { datagramClient } from '../../support/datagrams.js';
import { dial, echo, listenTcp, type Upstream } from '../../support/tcp.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeAsRoot } from '../../support/tools.js';
import { keep, own, startFar, startNear } from './stage.js';

const FIRST = '127.0.0.2';

describeAsRoot('a name with two addresses, of which the first', () => {
  let echoing: Upstream;
  let folder: TempFolder;
  beforeAll(async () => {
    echoing = await listenTcp(echo);
  });
  afterAll(() => echoing.close());
  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(() => folder.remove());

  /** A program for which `far.test` has these addresses. */
  function knowing(...addresses: readonly string[]): StartOptions {
    const hosts = `${folder.path}/hosts`;
    writeFileSync(hosts, addresses.map((address) => `${address} far.test\n`).join(''));
    return { wrapper: ['unshare', '-m', 'sh', '-c', `mount --bind ${hosts} /etc/hosts && exec "$@"`, 'sh'] };
  }

  test.each([
    { why: 'does not answer', reason: 'overtaken' },
    { why: 'refuses', reason: 'refused' },
  ])('$why: sessions leave through a link to the second', async ({ reason }) => {
    const far = await startFar(own(), echoing.target);
    if (reason === 'overtaken') {
      const deaf = await datagramClient(1, { from: FIRST, fromPort: far.port });
      keep({ stop: () => deaf.close() });
    }
    const near = await startNear(own(), `far.test:${far.port}`, {
      ...knowing(FIRST, '127.0.0.1'),
      upstream: { dial_timeout: '5m' },
    });
    for (const text of ['one', 'two']) {
      const client = await dial(near.port);
      client.send(text);
      expect(`${await client.bytes(3)}`).toBe(text);
      client.finish();
      await client.end();
    }
    await near.daemon.line('kcp link down');
    await near.daemon.line('kcp link up');
    expect((await near.daemon.ended(2)).map((line) => line.reason)).toEqual(['done', 'done']);
    const said = (msg: string) => near.daemon.lines.filter((line) => line.msg === msg);
    expect(said('kcp link down')).toMatchObject([{ remote: `${FIRST}:${far.port}`, reason }]);
    expect(said('kcp link up')).toMatchObject([{ remote: `127.0.0.1:${far.port}` }]);
    expect(await near.daemon.metric('anyport_kcp_links')).toBe(1);
  });
});
