/** Over which transports a configured protocol is recognised. */
import type { ProtocolConfig } from '../model/config.js';
import type { Transport } from '../model/protocol.js';
import { protocolById } from '../protocols/index.js';

export const spokenOver = ({ id, signature }: ProtocolConfig, transport: Transport): boolean =>
  signature === null ? (protocolById(id)?.transports.includes(transport) ?? false) : transport === 'tcp';
