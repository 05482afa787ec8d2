/** Bans in the library's terms: options in, an error for what can not be. */
import { formatDuration } from '../base/duration.js';
import type { Ban, BanRequest, BanResult, LiftResult } from '../model/ban.js';
import { AnyportError, invalidConfig } from './error.js';
import type { BanOptions } from './types.js';

export function banRequest(ip: string, { for: time, reason }: BanOptions): BanRequest {
  const text = typeof time === 'number' ? formatDuration(time) : time;
  return { ip, ...(text !== undefined && { for: text }), ...(reason !== undefined && { reason }) };
}

export function banned(result: BanResult): Ban {
  switch (result.result) {
    case 'banned':
      return result.ban;
    case 'invalid':
      throw invalidConfig([{ path: result.path, message: result.message }]);
    case 'trusted':
      throw new AnyportError('refused', 'it is in `ipWhitelist`, and such a source is never banned');
    case 'full':
      throw new AnyportError('refused', 'too many sources are banned already');
  }
}

/** False: it was not banned. */
export function lifted(result: LiftResult): boolean {
  if (result.result === 'invalid') throw invalidConfig([{ path: 'address', message: result.message }]);
  return result.result === 'lifted';
}
