/** The client against an engine over TCP: plain, and over TLS with certificates on both sides. */
import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientTls } from '../../../src/model/client-tls.js';
import { EngineClient } from '../../../src/providers/docker/client.js';
import { makeCertificate } from '../../support/real-servers.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { describeWith } from '../../support/tools.js';

const answer = (_: unknown, response: { end(text: string): void }) => response.end('[]');

async function listening(server: Server): Promise<number> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return (server.address() as AddressInfo).port;
}

const containersAt = (host: string, port: number, tls: ClientTls | null) =>
  new EngineClient({ host, port, tls }, { answerMs: 2000 }).containers();

test('plain', async () => {
  const server = createPlain(answer);
  const port = await listening(server);
  expect(await containersAt('127.0.0.1', port, null)).toEqual([]);
  server.close();
});

describeWith('openssl')('over TLS', () => {
  let folders: TempFolder[];
  let own: ClientTls;
  let other: ClientTls;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    folders = [tempFolder(), tempFolder()];
    for (const { path } of folders) await makeCertificate(path, 'localhost', 1);
    [own, other] = folders.map(({ path }) => {
      const cert = readFileSync(`${path}/cert.pem`, 'utf8');
      return { ca: cert, cert, key: readFileSync(`${path}/key.pem`, 'utf8') };
    }) as [ClientTls, ClientTls];
    server = createTls({ ...own, requestCert: true, rejectUnauthorized: true }, answer);
    port = await listening(server);
  });
  afterAll(() => {
    server.close();
    for (const folder of folders) folder.remove();
  });

  test('with our certificate', async () => {
    expect(await containersAt('localhost', port, own)).toEqual([]);
  });

  test.each<[string, string, () => ClientTls, RegExp]>([
    [
      'an authority that is not trusted',
      'localhost',
      () => ({ ...own, ca: other.ca as string }),
      /self.signed/,
    ],
    ['another name', '127.0.0.1', () => own, /altnames/],
    [
      'no certificate of ours',
      'localhost',
      () => ({ ca: own.ca as string }),
      /certificate required|hang up|ECONNRESET/,
    ],
    [
      'a certificate that the engine does not know',
      'localhost',
      () => ({ ...other, ca: own.ca as string }),
      /unknown ca|hang up|ECONNRESET/,
    ],
  ])('%s is refused', async (_, host, tls, why) => {
    await expect(containersAt(host, port, tls())).rejects.toThrow(why);
  });
});
