// Sends standard input over reliable UDP, and prints what comes back:
//   echo hello | node examples/kcp-client.mjs
import { connectKcp } from 'anyport';

const { HOST = '127.0.0.1', PORT = '9090', SECRET = 'change me: openssl rand -base64 24' } = process.env;

const socket = await connectKcp({ host: HOST, port: Number(PORT), secret: SECRET, mode: 'fast2' });
socket.on('error', ({ code, message }) => {
  console.error(`${code}: ${message}`);
  process.exitCode = 1;
});
socket.on('close', (_, reason) => {
  const { rttMs, retransmits, recovered } = socket.stats();
  console.error(
    `${reason}: round trip ${rttMs.toFixed(1)} ms, ${retransmits} sent again, ${recovered} recovered`,
  );
});

process.stdin.pipe(socket);
socket.pipe(process.stdout);
