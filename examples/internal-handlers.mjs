// Sessions served by functions of this program. With `workers: 0`, the default, they run on this thread.
//   curl http://127.0.0.1:9090/    redis-cli -p 9090 ping    echo hello | nc -N 127.0.0.1 9090
import { createServer } from 'node:http';
import { createAnyport, protocols } from 'anyport';

let visits = 0;

// A handler's socket is a Duplex: Node's own servers take it as a connection.
const web = createServer((request, response) => {
  visits += 1;
  response.end(`visit ${visits}, ${request.method} ${request.url}\n`);
});

/** Answers PING, in pieces or many at once. */
function redis(socket) {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
    for (let at = text.search(/PING\r\n/i); at >= 0; at = text.search(/PING\r\n/i)) {
      text = text.slice(at + 6);
      socket.write('+PONG\r\n');
    }
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {}); // the client has reset the connection
}

const plex = createAnyport({
  identifyMinBytes: 1,
  listeners: [{ name: 'front', address: process.env.LISTEN ?? '127.0.0.1:9090', onUnknown: 'echo' }],
  protocols: [
    protocols.http({ handler: (socket) => void web.emit('connection', socket) }),
    protocols.redis({ handler: redis }),
  ],
  upstreams: {
    // Whatever is not recognised comes back.
    echo: { handler: (socket) => void socket.on('error', () => {}).pipe(socket) },
  },
});

const [front] = await plex.listen();
console.log(`listening on ${front.address}`);

process.on('SIGTERM', () => plex.close({ drain: 0 }));
