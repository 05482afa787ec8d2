/** Through a SOCKS4 proxy that looks up names: the SOCKS 4A extension. IPv4 addresses are asked for as in SOCKS4. */
import { isIPv4 } from 'node:net';
import { addressBytes } from '../base/network.js';
import type { AskVerdict } from '../model/facts.js';
import { type Asking, placeText, refused, unreachable, yes } from './hop.js';

const VERSION = 4;
const CONNECT = 1;
const GRANTED = 90;
const ANSWER_BYTES = 8;

/** An address that can not be one: a name follows the user. */
const A_NAME = [0, 0, 0, 1];

export const askBySocks4a: Asking = ({ user }, place) => {
  const { host, port } = place;
  const address = isIPv4(host) ? addressBytes(host) : A_NAME;
  const name = isIPv4(host) ? '' : `${host}\0`;
  const head = Uint8Array.of(VERSION, CONNECT, port >> 8, port & 0xff, ...address);
  return [
    {
      words: `a SOCKS4 request for ${placeText(place)}`,
      bytes: Buffer.concat([head, Buffer.from(`${user ?? ''}\0${name}`, 'utf8')]),
      expected: ANSWER_BYTES,
      judge,
    },
  ];
};

/** It does not say whether the place can not be reached, or may not. */
function judge([version, code]: Uint8Array): AskVerdict {
  if (version !== 0) return refused('does not answer as a SOCKS4 proxy');
  if (code === GRANTED) return yes(ANSWER_BYTES);
  if (code === 91) return unreachable('answers 91, rejected or failed');
  return refused(`answers ${code}${code === 92 || code === 93 ? ', does not accept the user' : ''}`);
}
