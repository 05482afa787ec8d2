/** ngtcp2's HTTP/3 server and client. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { makeCertificate } from '../../../../support/real-servers.js';
import { type LoopbackRecipe, satisfied } from './service.js';

const NAME = 'www.example.com';
const FILE_BYTES = 300_000;

export const quic: LoopbackRecipe = {
  name: 'QUIC: gtlsserver, gtlsclient',
  protocol: 'quic',
  tools: ['gtlsserver', 'gtlsclient', 'openssl'],
  async prepare(folder) {
    mkdirSync(`${folder}/www`);
    writeFileSync(`${folder}/www/file`, randomBytes(FILE_BYTES));
    await makeCertificate(folder, NAME, 3);
  },
  server: (folder, port) => [
    'gtlsserver',
    ...['-q', '-d', `${folder}/www`, '127.0.0.1', `${port}`, `${folder}/key.pem`, `${folder}/cert.pem`],
  ],
  async ask({ host, port }, folder) {
    const got = `${folder}/got`;
    rmSync(got, { recursive: true, force: true });
    mkdirSync(got);
    const how = ['-q', '--exit-on-all-streams-close', `--sni=${NAME}`, `--download=${got}`, '--timeout=10s'];
    await satisfied(['gtlsclient', ...how, host, `${port}`, `https://${NAME}/file`], /^/);
    expect(readFileSync(`${got}/file`).equals(readFileSync(`${folder}/www/file`))).toBe(true);
  },
};
