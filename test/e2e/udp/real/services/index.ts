/** Real servers, each with the client that speaks to it. */
import { freePort } from '../../../../support/ports.js';
import { dns } from './dns.js';
import { ntp } from './ntp.js';
import { openvpn } from './openvpn.js';
import { quic } from './quic.js';
import { loopbackService, type Service } from './service.js';
import { sip } from './sip.js';
import { snmp } from './snmp.js';
import { tunnelService } from './tunnel.js';
import { turn, turnOverDtls } from './turn.js';
import { wireguard } from './wireguard.js';

/** They need nothing but loopback. */
export const loopbackServices: readonly Service[] = [dns, turn, turnOverDtls, quic, snmp, ntp, sip].map(
  (recipe) => loopbackService(recipe, freePort),
);

/** They need root, and /dev/net/tun. */
export const tunnels: readonly Service[] = [wireguard, openvpn].map(tunnelService);
