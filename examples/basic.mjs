// HTTP, SSH and Redis on one port, each relayed to its server:
//   curl http://127.0.0.1:9090/    ssh -p 9090 127.0.0.1    redis-cli -p 9090 ping
import { createAnyport, protocols } from 'anyport';

const {
  LISTEN = '127.0.0.1:9090',
  WEB = '127.0.0.1:8080',
  SSHD = '127.0.0.1:22',
  REDIS = '127.0.0.1:6379',
} = process.env;

const plex = createAnyport({ maxConnections: 1000, identifyTimeout: '5s' });

await plex.addProtocol(protocols.http({ target: WEB, priority: 1 }));
await plex.addProtocol(protocols.ssh({ target: SSHD }));
await plex.addProtocol(protocols.redis({ target: REDIS }));

const [front] = await plex.listen(LISTEN);
console.log(`listening on ${front.address}`);

// Ctrl-C: sessions have ten seconds to finish; a second one ends them at once.
process.on('SIGINT', () => plex.close({ drain: '10s' }));
process.on('SIGTERM', () => plex.close({ drain: 0 }));
