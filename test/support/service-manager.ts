/** What systemd does for a service, by hand: the notification socket, and sockets that it opens beforehand. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stopProcess } from './process.js';
import { eventually } from './wait.js';

const RECEIVER = `
import json, socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print(json.dumps('bound'), flush=True)
while True:
    print(json.dumps(server.recv(65536).decode()), flush=True)
`;

/** Opens a socket per NAME=HOST:PORT, NAME=udp:HOST:PORT or NAME=/path, leaves them as descriptors 3 … and runs the command. */
const ACTIVATOR = `
import os, socket, sys
count = int(sys.argv[1])
opened, names = [], []
for wanted in sys.argv[2:2 + count]:
    name, address = wanted.split('=', 1)
    if address.startswith('/'):
        server = socket.socket(socket.AF_UNIX)
        server.bind(address)
    elif address.startswith('udp:'):
        host, port = address[4:].rsplit(':', 1)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind((host, int(port)))
    else:
        host, port = address.rsplit(':', 1)
        server = socket.socket(socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, int(port)))
    if server.type != socket.SOCK_DGRAM:
        server.listen(128)
    opened.append(os.dup(server.fileno()))
    names.append(name)
high = [os.dup2(fd, 100 + index) for index, fd in enumerate(opened)]
os.closerange(3, 100)
for index, fd in enumerate(high):
    os.dup2(fd, 3 + index)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=':'.join(names))
os.execvp(sys.argv[2 + count], sys.argv[2 + count:])
`;

/** Sockets by name: \`HOST:PORT\`, \`udp:HOST:PORT\` or the path of a Unix socket. To be put before a command. */
export function activated(sockets: readonly (readonly [string, string])[]): string[] {
  const wanted = sockets.map(([name, address]) => `${name}=${address}`);
  return ['python3', '-c', ACTIVATOR, String(sockets.length), ...wanted];
}

export interface Notifications {
  /** Datagrams so far. */
  readonly told: readonly string[];
  /** Waits for a datagram that has this line; resolves with the whole one. */
  heard(line: string | RegExp): Promise<string>;
  stop(): Promise<void>;
}

/** A bound notification socket at \`path\`. */
export async function hearNotifications(path: string): Promise<Notifications> {
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const told: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => told.push(JSON.parse(line)));
  await eventually('the notification socket', () => told.shift() === 'bound');
  const has = (text: string, line: string | RegExp) =>
    text.split('\n').some((each) => (typeof line === 'string' ? each === line : line.test(each)));
  return {
    told,
    heard: (line) =>
      eventually(`the notification ${line}, beside ${told.join(' | ')}`, () =>
        told.find((text) => has(text, line)),
      ),
    stop: () => stopProcess(child),
  };
}
