/** Profiles for tests of links. */
import { pskOf } from '../../src/kcp/keys.js';
import { keyPairOf } from '../../src/kcp/x25519.js';
import { type KcpNoise, type KcpProfile, kcpModes } from '../../src/model/kcp.js';

const psks = new Map<string, string>();

/** Stretched once for all tests of a file. */
export function pskText(secret: string): string {
  const known = psks.get(secret) ?? pskOf(secret).toString('hex');
  psks.set(secret, known);
  return known;
}

export const serverSecret = Buffer.alloc(32, 0x5a);
export const serverKeys = {
  privateKey: serverSecret.toString('hex'),
  serverKey: keyPairOf(serverSecret).public.toString('hex'),
} as const;

export function noiseProfile(security: Partial<KcpNoise> = {}): KcpProfile & { readonly security: KcpNoise } {
  return {
    name: 'link',
    security: {
      wire: 'anyport',
      cipher: 'chacha20-poly1305',
      psk: pskText('correct horse battery staple'),
      serverKey: null,
      privateKey: null,
      ...security,
    },
    mode: kcpModes.fast,
    mtu: 1350,
    sendWindow: 1024,
    receiveWindow: 512,
    fec: { data: 10, parity: 3, adaptive: false },
    heartbeatMs: 3000,
    deadAfterMs: 15_000,
    statusLogMs: 0,
  };
}
