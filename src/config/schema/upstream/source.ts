/** `upstreams.NAME.source` */
import { isIP } from 'node:net';
import { flag, form, oneOrMore, section } from '../fields.js';

const ADDRESS = 'an address such as `10.0.0.9` or `2001:db8::9`';
/** IFNAMSIZ with its zero byte is 16. */
const isInterface = (text: string): boolean => /^[^\s/:]{1,15}$/.test(text);

const address = form('Address', ADDRESS, (text) => (isIP(text) !== 0 && !text.includes('%') ? text : null));

export const source = section(
  {
    address: oneOrMore(
      address,
      'Source address of connections, or one of each family. Addresses of endpoints that are of a family without one are left out',
      ADDRESS,
    ).default([]),
    interface: form(
      'Network interface, or VRF, that connections leave by (SO_BINDTODEVICE)',
      'the name of an interface such as `eth1`',
      (text) => (isInterface(text) ? text : null),
    ).default(''),
    transparent: flag(
      false,
      "The client's address, or the one that a PROXY header announces, is the source. Needs CAP_NET_RAW and [routes](operations.md#source-addresses)",
    ),
  },
  'Where connections to endpoints come from.',
  '{ address: 10.0.0.9 }',
);
