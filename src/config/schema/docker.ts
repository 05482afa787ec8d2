/** `docker`: containers as a source of upstreams, routes and forwards. */
import { isAbsolute } from 'node:path';
import { splitHostPort } from '../../base/address.js';
import { flag, form, mapping, section, text, writtenFile } from './fields.js';

const SOCKET = 'a path such as `/var/run/docker.sock`, or `tcp://host:2376`';

function placeOf(written: string) {
  const tcp = /^tcp:\/\/([^/]*)\/?$/.exec(written);
  if (tcp) return splitHostPort(tcp[1] ?? '');
  const path = written.replace(/^unix:(?:\/\/)?/, '');
  return isAbsolute(path) && !path.includes('\0') ? { socketPath: path } : null;
}

const tls = mapping(
  {
    ca: text('PEM file of the authorities that are trusted for its certificate', 'a path').optional(),
    cert: text('PEM file of our certificate', 'a path').optional(),
    key: text('PEM file of its private key', 'a path').optional(),
  },
  '{ ca: ./ca.pem, cert: ./cert.pem, key: ./key.pem }',
).meta({ description: 'TLS to an engine at `tcp://`; without it the connection is plain' });

export const docker = section(
  {
    socket: form('Where the Engine API is, of Docker or podman', SOCKET, placeOf).prefault(
      '/var/run/docker.sock',
    ),
    tls: tls.optional(),
    network: text(
      'Network by which containers are reached that have no label `anyport.network`; empty: the first by name that has an address',
      'name of a network',
    ).default(''),
    watch: flag(true, 'Follow changes; `false`: containers are looked at when the configuration is read'),
    allow_loopback: flag(
      false,
      'Whether labels may lead to this machine itself: loopback, link-local addresses, containers on the network of the host',
    ),
    state_file: writtenFile(
      'Where what containers said last is kept, for a start or an upgrade while the engine is away. The file is replaced as a whole; its folder must be writable',
      '/var/lib/anyport/docker.json',
    ).optional(),
  },
  'Upstreams, routes and forwards from the labels of containers: [Docker](docker.md).',
  '{ socket: /var/run/docker.sock }',
);

export type DockerEntry = ReturnType<typeof docker.parse>;
