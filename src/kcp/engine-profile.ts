/** What the engine is told of a profile: numbers, and the keys that it needs itself. */
import type { EngineKcpProfile } from '../addon/kcp.js';
import type { KcpProfile } from '../model/kcp.js';
import { resetKeyOf } from './keys.js';

export const linkLimits = {
  /** A link of our own without a stream ends after so long. */
  idleMs: 60_000,
  /** Links that clients have begun, of each worker and profile. */
  linksMax: 16_384,
  /** Streams of a link at once. */
  streamsMax: 16_384,
} as const;

export function engineProfile(profile: KcpProfile, id: number): EngineKcpProfile {
  const { mode, fec, mtu, sendWindow, receiveWindow, heartbeatMs, deadAfterMs, security } = profile;
  return {
    id,
    mode: {
      nodelay: Number(mode.nodelay),
      intervalMs: mode.intervalMs,
      resend: mode.resend,
      nc: Number(mode.nc),
    },
    fec,
    mtu,
    sendWindow,
    receiveWindow,
    heartbeatMs,
    deadAfterMs,
    ...linkLimits,
    singleStream: false,
    resetKey: security.wire === 'anyport' ? resetKeyOf(security) : null,
    kcptun:
      security.wire === 'anyport'
        ? null
        : {
            crypt: security.crypt,
            pass: Buffer.from(security.pass, 'hex'),
            smux: security.smux,
            compression: security.compression,
          },
  };
}
