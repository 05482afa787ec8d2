/** The protocols in which clients may ask for a connection: what each says, and is told. */
import type { Conversation } from '../conversation.js';
import { HttpConversation } from './http.js';
import { Http2Conversation } from './http2.js';
import { Socks4Conversation } from './socks4.js';
import { Socks5Conversation } from './socks5.js';

/** By the protocol that has been identified. `hasUsers`: clients must be users. `servesUdp`: UDP ASSOCIATE is offered. */
const conversations: Readonly<Record<string, (hasUsers: boolean, servesUdp: boolean) => Conversation>> = {
  http: (hasUsers) => new HttpConversation(hasUsers),
  webdav: (hasUsers) => new HttpConversation(hasUsers),
  websocket: (hasUsers) => new HttpConversation(hasUsers),
  http2: () => new Http2Conversation(),
  grpc: () => new Http2Conversation(),
  socks4: (hasUsers) => new Socks4Conversation(hasUsers),
  socks5: (hasUsers, servesUdp) => new Socks5Conversation(hasUsers, servesUdp),
};

/** Undefined: no such protocol is led to the proxy. */
export const createConversation = (
  protocol: string,
  hasUsers: boolean,
  servesUdp = false,
): Conversation | undefined => conversations[protocol]?.(hasUsers, servesUdp);
