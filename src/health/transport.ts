/** Checks that ask over UDP or TCP. */
import type { Over, Zod } from './check.js';
import { choiceField } from './fields.js';

const transports = ['udp', 'tcp'] as const;

export interface TransportOptions {
  readonly transport: (typeof transports)[number];
}

export const transportField = (zod: Zod) => ({
  transport: choiceField(zod, transports, 'How it is asked').default('udp'),
});

export const overTransport = ({ transport }: TransportOptions): Over => transport;
