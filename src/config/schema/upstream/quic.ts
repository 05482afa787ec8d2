/** `upstreams.NAME.quic` */
import { flag, integerOrZero, section } from '../fields.js';

/** The longest are those of RFC 9000; shorter ones come about by chance. */
const idBounds = { min: 4, max: 20 } as const;

export const quic = section(
  {
    follow_connection_id: flag(
      false,
      'A datagram from an unknown address goes to the endpoint that the connection id in it belongs to: a client whose address changes under it (a NAT) keeps its connection',
    ),
    connection_id_length: integerOrZero(
      'Bytes of the connection ids that the endpoints issue; others are not followed. 0: learned from the handshakes, from 8 bytes on',
      idBounds.min,
      idBounds.max,
    ),
  },
  'Options of flows that are QUIC.',
);
