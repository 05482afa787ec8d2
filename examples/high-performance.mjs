// A thread for each core, none of which meets this one: relayed bytes never enter JavaScript, and handlers are modules.
import { createAnyport, protocols } from 'anyport';

const { LISTEN = '127.0.0.1:9090', WEB = '127.0.0.1:8080,127.0.0.1:8081' } = process.env;

const plex = createAnyport({
  workers: 'auto',
  accept: 'reuseport', // a listening socket for each thread; `handoff` evens out few long sessions
  maxConnections: 100_000, // two open files each: `ulimit -n`
  bufferSize: '64KiB',
  idleTimeout: '10m',
  logging: { accessLog: false },
  protocols: [
    protocols.http({
      target: {
        endpoints: WEB.split(','),
        balance: 'least_connections',
        retries: 1,
        tcp: { keepalive: '1m' },
      },
    }),
    protocols.redis({ handler: 'builtin:redis' }),
  ],
});

const [front] = await plex.listen(LISTEN);
const { workers } = plex.metrics();
console.log(`listening on ${front.address} with ${workers.accepting} threads`);

process.on('SIGTERM', () => plex.close({ drain: 0 }));
