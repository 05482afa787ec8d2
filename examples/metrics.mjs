// The typed snapshot, events, and the Prometheus text on a server of one's own:
//   curl http://127.0.0.1:9091/metrics    curl http://127.0.0.1:9091/status
// (`monitoring: { metricsPort: 9091 }` has `/metrics` without a line of code.)
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createAnyport, protocols } from 'anyport';

const plex = createAnyport({
  protocols: [protocols.http({ handler: 'builtin:http' }), protocols.ssh({ target: '127.0.0.1:22' })],
});

plex.on('session', ({ protocol, source, bytesUp, bytesDown, durationMs, reason }) => {
  console.log(
    `${source} ${protocol ?? 'unknown'}: ${bytesUp}/${bytesDown} bytes, ${durationMs} ms, ${reason}`,
  );
});
plex.on('endpoint', ({ upstream, endpoint, state }) => console.log(`${upstream} ${endpoint} is ${state}`));

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') return response.end(await plex.metricsText());
  const { activeConnections, acceptedConnections, memoryPool, protocols: seen } = plex.metrics();
  response.setHeader('content-type', 'application/json');
  return response.end(
    JSON.stringify({ activeConnections, acceptedConnections, memoryPool, protocols: seen }),
  );
});
server.listen(Number(process.env.METRICS_PORT ?? 9091), '127.0.0.1');
await once(server, 'listening');

const [front] = await plex.listen(process.env.LISTEN ?? '127.0.0.1:9090');
console.log(`listening on ${front.address}, metrics on 127.0.0.1:${server.address().port}`);

process.on('SIGTERM', () => {
  server.close();
  plex.close({ drain: 0 });
});
