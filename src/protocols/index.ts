/** The built-in protocols. To add one: write its file and add it to this table. */
import type { Protocol, Recognizer, Transport } from '../model/protocol.js';
import { adb } from './adb.js';
import { amqp } from './amqp.js';
import { bittorrent } from './bittorrent.js';
import { bounded } from './bounds.js';
import { coap } from './coap.js';
import { dns } from './dns.js';
import { dtls } from './dtls.js';
import { ftp } from './ftp.js';
import { git } from './git.js';
import { grpc } from './grpc.js';
import { http } from './http.js';
import { http2 } from './http2.js';
import { imap } from './imap.js';
import { irc } from './irc.js';
import { kafka } from './kafka.js';
import { kcp } from './kcp.js';
import { ldap } from './ldap.js';
import { memcached } from './memcached.js';
import { minecraft } from './minecraft.js';
import { mongodb } from './mongodb.js';
import { mqtt } from './mqtt.js';
import { mysql } from './mysql.js';
import { nats } from './nats.js';
import { ntp } from './ntp.js';
import { openvpn } from './openvpn.js';
import { pop3 } from './pop3.js';
import { postgres } from './postgres.js';
import { quic } from './quic.js';
import { radius } from './radius.js';
import { rdp } from './rdp.js';
import { wholeFacts } from './read-limit.js';
import { redis } from './redis.js';
import { rsync } from './rsync.js';
import { rtmp } from './rtmp.js';
import { rtsp } from './rtsp.js';
import { sip } from './sip.js';
import { smb } from './smb.js';
import { smtp } from './smtp.js';
import { snmp } from './snmp.js';
import { socks4 } from './socks4.js';
import { socks5 } from './socks5.js';
import { ssh } from './ssh.js';
import { stomp } from './stomp.js';
import { stun } from './stun.js';
import { syslog } from './syslog.js';
import { tds } from './tds.js';
import { telnet } from './telnet.js';
import { tls } from './tls.js';
import { vnc } from './vnc.js';
import { webdav } from './webdav.js';
import { websocket } from './websocket.js';
import { wireguard } from './wireguard.js';
import { xmpp } from './xmpp.js';

const table = {
  adb,
  amqp,
  bittorrent,
  coap,
  dns,
  dtls,
  ftp,
  git,
  grpc,
  http,
  http2,
  imap,
  irc,
  kafka,
  kcp,
  ldap,
  memcached,
  minecraft,
  mongodb,
  mqtt,
  mysql,
  nats,
  ntp,
  openvpn,
  pop3,
  postgres,
  quic,
  radius,
  rdp,
  redis,
  rsync,
  rtmp,
  rtsp,
  sip,
  smb,
  smtp,
  snmp,
  socks4,
  socks5,
  ssh,
  stomp,
  stun,
  syslog,
  tds,
  telnet,
  tls,
  vnc,
  webdav,
  websocket,
  wireguard,
  xmpp,
} satisfies Readonly<Record<string, Protocol>>;

/** Ids of the built-ins. */
export type BuiltInId = keyof typeof table;

/**
 * In rank order. Rank is how much a signature demands: 10 a magic number, 40 a structure, 80 a text line that a
 * family of protocols shares, above 80 words that unrelated protocols use too. A refinement ranks just before its
 * parent; ties keep list order.
 */
export const protocols: readonly Protocol[] = Object.values<Protocol>(table)
  .map(bounded)
  .sort((a, b) => a.rank - b.rank);

const byId = new Map(protocols.map((protocol) => [protocol.id, protocol]));

export function protocolById(id: string): Protocol | undefined {
  return byId.get(id);
}

export interface NamedRecognizer extends Recognizer {
  readonly id: string;
  /** Id of the protocol that this one specializes. */
  readonly refines?: string;
}

/** The recognizers of a transport, in rank order. */
export const recognizersFor = (transport: Transport): NamedRecognizer[] =>
  protocols.flatMap((protocol) => recognizerOf(protocol, transport) ?? []);

/** Always the same one; null: it is not spoken over the transport. */
export function recognizerOf(protocol: Protocol, transport: Transport): NamedRecognizer | null {
  if (!protocol.transports.includes(transport)) return null;
  if (transport === 'tcp') return protocol;
  const made = ofDatagrams.get(protocol) ?? datagramRecognizer(protocol);
  ofDatagrams.set(protocol, made);
  return made;
}

const ofDatagrams = new WeakMap<Protocol, NamedRecognizer>();

function datagramRecognizer(protocol: Protocol): NamedRecognizer {
  const { id, refines, datagram = protocol, spansDatagrams } = protocol;
  const { signature, confirm, facts } = datagram;
  return {
    id,
    signature,
    ...(refines !== undefined && { refines }),
    ...(confirm && { confirm }),
    ...(facts && { facts: spansDatagrams ? facts : wholeFacts(facts) }),
  };
}
