import { cases as adb } from './adb.js';
import { cases as amqp } from './amqp.js';
import { cases as bittorrent, datagrams as bittorrentDatagrams } from './bittorrent.js';
import type { Case, DatagramCase } from './case.js';
import { cases as coap, datagrams as coapDatagrams } from './coap.js';
import { cases as dns, datagrams as dnsDatagrams } from './dns.js';
import { datagrams as dtlsDatagrams } from './dtls.js';
import { cases as ftp } from './ftp.js';
import { cases as git } from './git.js';
import { cases as grpc } from './grpc.js';
import { cases as http } from './http.js';
import { cases as http2 } from './http2.js';
import { cases as imap } from './imap.js';
import { cases as irc } from './irc.js';
import { cases as kafka } from './kafka.js';
import { datagrams as kcpDatagrams } from './kcp.js';
import { cases as ldap, datagrams as ldapDatagrams } from './ldap.js';
import { cases as memcached } from './memcached.js';
import { cases as minecraft } from './minecraft.js';
import { cases as mongodb } from './mongodb.js';
import { cases as mqtt } from './mqtt.js';
import { cases as mysql } from './mysql.js';
import { cases as nats } from './nats.js';
import { datagrams as ntpDatagrams } from './ntp.js';
import { cases as openvpn, datagrams as openvpnDatagrams } from './openvpn.js';
import { cases as pop3 } from './pop3.js';
import { cases as postgres } from './postgres.js';
import { datagrams as quicDatagrams } from './quic.js';
import { datagrams as radiusDatagrams } from './radius.js';
import { cases as rdp } from './rdp.js';
import { cases as redis } from './redis.js';
import { cases as rsync } from './rsync.js';
import { cases as rtmp } from './rtmp.js';
import { cases as rtsp } from './rtsp.js';
import { cases as sip, datagrams as sipDatagrams } from './sip.js';
import { cases as smb } from './smb.js';
import { cases as smtp } from './smtp.js';
import { cases as snmp, datagrams as snmpDatagrams } from './snmp.js';
import { cases as socks4 } from './socks4.js';
import { cases as socks5 } from './socks5.js';
import { cases as ssh } from './ssh.js';
import { cases as stomp } from './stomp.js';
import { cases as stun, datagrams as stunDatagrams } from './stun.js';
import { cases as syslog, datagrams as syslogDatagrams } from './syslog.js';
import { cases as tds } from './tds.js';
import { cases as telnet } from './telnet.js';
import { cases as tls } from './tls.js';
import { cases as vnc } from './vnc.js';
import { cases as webdav } from './webdav.js';
import { cases as websocket } from './websocket.js';
import { datagrams as wireguardDatagrams } from './wireguard.js';
import { cases as xmpp } from './xmpp.js';

export const cases: Readonly<Record<string, readonly Case[]>> = {
  adb,
  amqp,
  bittorrent,
  coap,
  dns,
  ftp,
  git,
  grpc,
  http,
  http2,
  imap,
  irc,
  kafka,
  ldap,
  memcached,
  minecraft,
  mongodb,
  mqtt,
  mysql,
  nats,
  openvpn,
  pop3,
  postgres,
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
  xmpp,
};

/** Cases of the UDP protocols. */
export const datagrams: Readonly<Record<string, readonly DatagramCase[]>> = {
  bittorrent: bittorrentDatagrams,
  coap: coapDatagrams,
  dns: dnsDatagrams,
  dtls: dtlsDatagrams,
  kcp: kcpDatagrams,
  ldap: ldapDatagrams,
  ntp: ntpDatagrams,
  openvpn: openvpnDatagrams,
  quic: quicDatagrams,
  radius: radiusDatagrams,
  sip: sipDatagrams,
  snmp: snmpDatagrams,
  stun: stunDatagrams,
  syslog: syslogDatagrams,
  wireguard: wireguardDatagrams,
};
