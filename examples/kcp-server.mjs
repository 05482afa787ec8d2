// A server of reliable UDP that echoes, and says of each connection how it went. The other end: kcp-client.mjs.
import { createKcpServer } from 'anyport';

const { LISTEN = '127.0.0.1:9090', SECRET = 'change me: openssl rand -base64 24' } = process.env;

const server = createKcpServer({ secret: SECRET, statusLog: '5s', logger: console.log }, (socket) => {
  console.log(`${socket.sessionId} from ${socket.remoteAddress}`);
  socket.on('error', ({ code }) => console.log(`${socket.sessionId}: ${code}`));
  socket.on('close', (_, reason) => console.log(`${socket.sessionId} closed: ${reason}`));
  socket.pipe(socket);
});

const { host, port } = await server.listen(LISTEN);
console.log(`listening on ${host}:${port}`);

// Ctrl-C: connections have ten seconds to finish.
process.on('SIGINT', () => server.close({ drain: '10s' }));
process.on('SIGTERM', () => server.close());
