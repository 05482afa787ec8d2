/** Checks that ask over UDP or TCP. */
import type { Over, Zod } from './check.js';
import { choiceField } from './fields.js';

const transports = ['udp', 'tcp'] as const;
type Transport = (typeof transports)[number];

export interface TransportOptions {
  readonly transport: Transport;
}

export const transportField = (zod: Zod, byDefault: Transport = 'udp') => ({
  transport: choiceField(zod, transports, 'How it is asked').default(byDefault),
});

export const overTransport = ({ transport }: TransportOptions): Over => transport;
