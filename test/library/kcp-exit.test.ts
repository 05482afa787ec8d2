/** A program that exits while links carry something. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../support/process.js';

const HEAD = `
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { connectKcp, createAnyport, createKcpServer } from ${JSON.stringify(resolve('dist/index.js'))};
const secret = 'a long and random secret';
const flood = (socket) => {
  const more = () => { while (socket.write(Buffer.alloc(65536))); };
  socket.on('drain', more).on('error', () => {});
  more();
};
`;

const programs = {
  'sockets of its own': `
const server = createKcpServer({ secret }, (socket) => socket.on('error', () => {}).pipe(socket));
const { port } = await server.listen('127.0.0.1:0');
const socket = await connectKcp({ host: '127.0.0.1', port, secret });
flood(socket);
await once(socket, 'data');
process.exit(7);
`,
  'an instance without threads': `
const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const server = createKcpServer({ secret }, (socket) => socket.on('error', () => {}).pipe(socket));
const { port } = await server.listen('127.0.0.1:0');
const plex = createAnyport({
  workers: 0,
  kcp: { link: { secret } },
  routes: [{ when: { source: '127.0.0.1' }, to: 'over' }],
  upstreams: { over: { endpoints: ['127.0.0.1:' + port], over: 'kcp', kcp: 'link' } },
});
await plex.listen('127.0.0.1:0');
const socket = connect(plex.address.port, '127.0.0.1');
flood(socket);
await once(socket, 'data');
process.exit(7);
`,
};

test.each(Object.entries(programs))('%s: it exits with the status it has chosen', async (_what, program) => {
  const run = () =>
    runProgram(process.execPath, ['--input-type=module', '-e', HEAD + program], { env: process.env });
  for (let time = 0; time < 3; time += 1)
    expect(await run()).toMatchObject({ status: 7, stdout: '', stderr: '' });
});
