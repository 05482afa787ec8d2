/** `routes[]`: the first whose conditions all hold is taken. The conditions are the table of src/routing. */
import type { z } from 'zod';
import { conditions } from '../../routing/conditions/index.js';
import { mapping, text } from './fields.js';

const { protocol, listener, sni, alpn, host, source } = conditions;

export const route = mapping(
  {
    when: mapping(
      {
        protocol: protocol.options.optional(),
        listener: listener.options.optional(),
        sni: sni.options.optional(),
        alpn: alpn.options.optional(),
        host: host.options.optional(),
        source: source.options.optional(),
      },
      '{ protocol: tls, sni: "*.example.com" }',
    )
      .prefault({})
      .meta({ description: 'Conditions, all of which must hold; none, or no `when`: every session.' }),
    to: text('Where the session goes', 'name of an upstream, `reset`, `close` or `drop`'),
  },
  '{ when: { protocol: tls }, to: reset }',
);

export type RouteEntry = z.output<typeof route>;
