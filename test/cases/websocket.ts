import { type Case, text } from './case.js';

export const cases: readonly Case[] = [
  {
    why: 'the three headers',
    bytes: text(
      'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    ),
    expect: { protocol: 'websocket', at: 117 },
  },
  {
    why: 'names and tokens in any letter case, in lists',
    bytes: text(
      'GET / HTTP/1.1\r\nconnection: keep-alive, UPGRADE\r\nuPgRaDe: h2c,WebSocket\r\nSEC-WEBSOCKET-KEY:x\r\n\r\n',
    ),
    expect: { protocol: 'websocket', at: 96 },
  },
  {
    why: 'a list on several lines',
    bytes: text(
      'GET / HTTP/1.1\r\nConnection: TE\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n',
    ),
    expect: { protocol: 'websocket', at: 97 },
  },
  {
    why: 'lone LFs',
    bytes: text('GET / HTTP/1.1\nUpgrade: websocket\nConnection: upgrade\nSec-WebSocket-Key: x\n\n'),
    expect: { protocol: 'websocket', at: 76 },
  },
  {
    why: 'empty lines first',
    bytes: text(
      '\r\n\r\nGET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: x\r\n\r\n',
    ),
    expect: { protocol: 'websocket', at: 85 },
  },
  {
    why: 'the key may be the last header',
    bytes: text('GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n'),
    expect: 'more',
  },
  {
    why: 'no key',
    bytes: text('GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'),
    expect: { protocol: 'http', at: 59 },
  },
  {
    why: 'an empty key',
    bytes: text('GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key:\r\n\r\n'),
    expect: { protocol: 'http', at: 79 },
  },
  {
    why: 'an upgrade to something else',
    bytes: text(
      'GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nSec-WebSocket-Key: x\r\n\r\n',
    ),
    expect: { protocol: 'http', at: 91 },
  },
  {
    why: 'a connection that is not upgraded',
    bytes: text('GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Key: x\r\n\r\n'),
    expect: { protocol: 'http', at: 79 },
  },
  {
    why: 'the words in a body',
    bytes: text(
      'GET / HTTP/1.1\r\nContent-Length: 70\r\n\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: x\r\n\r\n',
    ),
    expect: { protocol: 'http', at: 38 },
  },
  {
    why: 'the words in the target',
    bytes: text('GET /?Upgrade:websocket&Connection:upgrade&Sec-WebSocket-Key:x HTTP/1.1\r\n\r\n'),
    expect: { protocol: 'http', at: 75 },
  },
  {
    why: 'version 1.0',
    bytes: text('GET / HTTP/1.0\r\nUpgrade: websocket\r\n'),
    expect: { protocol: 'http', at: 16 },
  },
];
