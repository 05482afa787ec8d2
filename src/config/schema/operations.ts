/** `monitoring`, `logging` and `admin`: observability. */

import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { parseHost } from '../../base/address.js';
import { ADMIN_ADDRESS } from '../../model/config.js';
import { listenAddress, socketMode } from './addresses.js';
import { choice, expecting, flag, form, integer, oneOrMore, port, section, text } from './fields.js';

const ADDRESS = 'an address without a port such as `127.0.0.1` or `::1`';

const HOST_NAME = 'a name without a port such as `anyport.example.com`';

const hostName = z
  .string(expecting(HOST_NAME))
  .regex(/^[a-z0-9_]([a-z0-9_.:-]*[a-z0-9_])?$/i, expecting(HOST_NAME))
  .transform((name) => name.toLowerCase());

export const monitoring = section(
  {
    address: form(
      'Where metrics and health are served, and nowhere else. Without it: on every interface, and a line at start says so',
      ADDRESS,
      parseHost,
    ).optional(),
    enable_metrics: flag(true, 'Serve `GET /metrics` in the Prometheus text format'),
    metrics_port: port(9091, 'Its port'),
    enable_health_check: flag(true, 'Serve `GET /health/live` and `GET /health/ready`'),
    health_check_port: port(9092, 'Its port; it may be the same'),
  },
  'Metrics and health. Off unless this section is there.',
);

export const logging = section(
  {
    file: form(
      'Where lines are appended instead of to standard output. SIGUSR1 opens it anew, after somebody has renamed it; what can not be written is counted as dropped',
      'an absolute path such as `/var/log/anyport/anyport.log`',
      (path) => (isAbsolute(path) && !path.endsWith('/') && !path.includes('\0') ? path : null),
    ).optional(),
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'The least that is logged',
    ).default('info'),
    format: choice(
      ['auto', 'json', 'pretty'],
      'A JSON object a line, or text for people; `auto`: text at a terminal, else JSON',
    ).default('auto'),
    access_log: flag(true, 'One line for each session, at its end'),
    access_log_rate: integer(
      'Access log lines a second, shared evenly by the workers, one each at least; what is dropped is counted',
      1,
      10_000_000,
    ).default(1000),
  },
  'What is logged.',
);

export const admin = section(
  {
    listen: listenAddress('Where the control interface is served: one address, or a unix socket').prefault(
      ADMIN_ADDRESS,
    ),
    mode: socketMode(
      'Who may connect to its unix socket: permissions of the file. Without it `0600`, the owner',
    ).optional(),
    token: text(
      'Secret that requests must bring, as `Authorization: Bearer TOKEN`; needed where others than this machine can connect',
    ).default(''),
    hosts: oneOrMore(
      hostName,
      'Names by which requests without a token may call it, beside `localhost` and loopback addresses: their `Host`, so that no web page reaches it by a name of its own (DNS rebinding)',
      HOST_NAME,
    ).default([]),
  },
  'The control interface. Off unless this section is there.',
);
