/** `upstreams.NAME.udp` */
import { datagramUnits, flowMoves } from '../../../model/upstream-options.js';
import { choice, integer, optionalDuration, section } from '../fields.js';
import { flowIdleBounds } from '../udp.js';

export const udp = section(
  {
    idle_timeout: optionalDuration('Here instead of `server.udp.idle_timeout`', flowIdleBounds),
    responses: integer(
      'A flow ends once every datagram of its client has had so many answers: 1 for protocols such as DNS. 0: it ends by `idle_timeout`',
      0,
      65_535,
    ).default(0),
    amplification: integer(
      'Bytes of answers for each byte of the client, as long as it has not been heard of after the first answer: its address may be forged. What is beyond is dropped and counted. 0: no limit',
      0,
      65_535,
    ).default(0),
    on_reload: choice(
      flowMoves,
      'What becomes of a flow whose endpoint is no longer listed. `move`: its next datagram goes to another endpoint. `keep`: it goes on. `close`: it ends',
    ).default('move'),
    per: choice(
      datagramUnits,
      'What is balanced: each `flow`, or each `datagram`, for protocols in which a datagram stands alone',
    ).default('flow'),
  },
  'Options of flows; connections have none of them.',
);
