/** What one writes first: the opening decides, two pipes do the rest. `node node-proxy.mjs PORT TARGET`. */
import { connect, createServer } from 'node:net';

const [port, target] = process.argv.slice(2).map(Number);

const isRedis = (opening) => opening[0] === '*'.charCodeAt(0);
const isHttp = (opening) => opening.toString('latin1', 0, 4) === 'GET ';

function serve(client) {
  client.on('error', () => client.destroy());
  client.once('data', (opening) => {
    if (!isRedis(opening) && !isHttp(opening)) return client.destroy();
    client.pause(); // what comes meanwhile is for the pipe
    const server = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true, noDelay: true });
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
    server.write(opening);
    client.pipe(server);
    server.pipe(client);
  });
}

createServer({ allowHalfOpen: true, noDelay: true }, serve).listen({
  host: '127.0.0.1',
  port,
  backlog: 4096,
});
