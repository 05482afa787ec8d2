/**
 * Sessions whose client says where they go: by HTTP CONNECT or SOCKS. Read the request, ask who the client is, judge the
 * destination, look its name up, judge every address, dial. Bytes are relayed then like any session's.
 */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { constants } from 'node:os';
import type { Engine } from '../addon.js';
import { hostPort } from '../base/address.js';
import { plainAddress, sourceKey } from '../base/network.js';
import type { Heard, Identity } from '../forward-proxy/conversation.js';
import { DatagramConversation } from '../forward-proxy/conversations/datagram.js';
import { createConversation } from '../forward-proxy/conversations/index.js';
import type { Destination } from '../forward-proxy/destination.js';
import type { Policy } from '../forward-proxy/policy.js';
import { type Refusal, refusals } from '../forward-proxy/refusals.js';
import { gateLimits, type Judgement, type UserGate } from '../forward-proxy/users/index.js';
import type { RefusalCause } from '../model/connect-proxy.js';
import { NONE } from '../model/ids.js';
import type { Found, Lookups } from '../providers/lookups.js';
import { interleaved } from '../upstream/families.js';
import type { Answers } from './answers.js';
import { Association } from './association.js';
import type { AtWork } from './at-work.js';
import { errorName, type FailedDial, reasonOfFailure } from './dial-failure.js';
import type { Session } from './known-session.js';
import type { ForwardProxy } from './proxy.js';
import { type EventCursor, isLast } from './rings.js';
import { sourceText } from './session-line.js';
import type { StageLog } from './stage-log.js';
import { Tunnel } from './tunnel.js';

export interface ProxyingOptions {
  readonly engine: Pick<Engine, 'associate' | 'dissociate'>;
  readonly events: EventCursor;
  readonly answers: Answers;
  readonly names: Pick<Lookups, 'ask'>;
  readonly gate: Pick<UserGate, 'verify'>;
  readonly atWork: AtWork;
  /** The bytes of the current event. */
  readonly sniffed: () => Buffer;
  /** Whether the session has not ended. */
  readonly lives: (session: Session) => boolean;
  /** Flushes answers written outside of a turn, after the current promise job. */
  readonly flushSoon: () => void;
}

/** Over the time of a look-up: the look-up says first that it is late. */
const HOLD_MARGIN_MS = 1000;
/** What the engine takes of addresses. */
const ADDRESSES_MAX = 16;

/** How a session ends that is refused, where it is not as the table says. */
type Ending = Pick<Refusal, 'by' | 'during' | 'reason'>;

const GONE: Ending = { by: 'client', during: 'sniff', reason: 'client_gone' };

export class Proxying {
  readonly #options: ProxyingOptions;
  readonly #log: StageLog;

  constructor(options: ProxyingOptions, log: StageLog) {
    this.#options = options;
    this.#log = log;
  }

  /** It has been routed to the proxy. */
  begin(session: Session): void {
    const { events } = this.#options;
    const proxy = proxyOf(session);
    const conversation = createConversation(session.protocolId ?? '', proxy.users !== null, proxy.plan.udp);
    if (conversation === undefined) throw new Error(`${session.protocolId} does not say where it goes`);
    session.tunnel = new Tunnel(conversation, events.sourceAddress(), sourceText(events));
    session.upstream = proxy.plan.upstream;
    if (!proxy.serves(session.tunnel.source))
      return this.#refuse(session, 'source', 'this client is not served');
    this.read(session);
  }

  /** Its opening, or what has come since. */
  read(session: Session): void {
    const { events, sniffed } = this.#options;
    const { cause } = events;
    const heard = tunnelOf(session).conversation.read(sniffed(), cause === 'quiet');
    if (heard.verdict !== 'more' || !isLast(cause)) return this.#follow(session, heard);
    if (cause === 'timeout') this.#refuse(session, 'slow', 'the request has not come whole in time');
    else if (cause === 'full') this.#refuse(session, 'large', 'the request is too long');
    else this.#leave(session);
  }

  #follow(session: Session, heard: Heard): void {
    const { answers } = this.#options;
    switch (heard.verdict) {
      case 'more':
        return answers.wait(session, session.row, heard.bytesNeeded, heard.quietMs);
      case 'reply':
        return answers.reply(session, session.row, heard.bytes, 1, heard.taken);
      case 'identity':
        return this.#identify(session, heard);
      case 'request':
        return this.#admit(session, heard.destination, heard.taken);
      case 'association':
        return this.#associate(session, heard.port, heard.taken);
      case 'refuse':
        return this.#refuse(session, heard.cause, heard.why);
    }
  }

  /** A datagram to a target of an association that has been granted, maybe under another Plan. */
  beginTarget(session: Session, { user }: Tunnel): void {
    const { events, sniffed } = this.#options;
    const { proxy } = session.runtime;
    const tunnel = new Tunnel(new DatagramConversation(), events.sourceAddress(), sourceText(events));
    session.tunnel = tunnel;
    tunnel.user = user;
    const heard = tunnel.conversation.read(sniffed(), false);
    if (heard.verdict === 'request') tunnel.destination = heard.destination;
    if (proxy === null) return this.#refuse(session, 'command', 'there is no proxy any more');
    session.upstream = proxy.plan.upstream;
    if (!proxy.plan.udp) return this.#refuse(session, 'command', 'UDP ASSOCIATE is not served any more');
    if (!proxy.serves(tunnel.source)) return this.#refuse(session, 'source', 'this client is not served');
    const upstream = upstreamOf(proxy, user);
    if (upstream === undefined) return this.#refuse(session, 'credentials', 'the user is gone');
    session.upstream = upstream;
    this.#follow(session, heard);
  }

  // ---- who

  #identify(session: Session, identity: Identity): void {
    const { gate, answers } = this.#options;
    const { users } = proxyOf(session);
    const { credentials } = identity;
    if (users === null || credentials === null)
      return this.#reject(session, identity, 'this proxy asks for a user and a password');
    const judged = gate.verify(users, credentials, tunnelOf(session).source);
    if ('verdict' in judged) return this.#judged(session, identity, judged);
    answers.hold(session, session.row, gateLimits.answerMsMax);
    void judged.then((judgement) => this.#later(session, () => this.#judged(session, identity, judgement)));
  }

  #judged(session: Session, identity: Identity, judgement: Judgement): void {
    switch (judgement.verdict) {
      case 'user': {
        const { name, upstream } = judgement.user;
        const tunnel = tunnelOf(session);
        tunnel.user = name;
        tunnel.hasGuessed = false;
        session.upstream = upstream;
        return this.#follow(session, identity.accepted());
      }
      case 'wrong':
        tunnelOf(session).hasGuessed = true;
        return this.#reject(session, identity, 'the user or the password is wrong');
      case 'braked': {
        const seconds = Math.ceil(judgement.waitMs / 1000);
        return this.#refuse(session, 'guessing', `too many wrong passwords: try again in ${seconds} s`);
      }
      case 'busy':
        return this.#refuse(session, 'busy', 'too many passwords are being verified');
    }
  }

  /** The client may try again: if it leaves instead, its line says why. */
  #reject(session: Session, identity: Identity, why: string): void {
    const rejected = identity.rejected(why);
    if (rejected.verdict === 'reply') this.#note(session, 'credentials', why);
    this.#follow(session, rejected);
  }

  // ---- where

  #admit(session: Session, destination: Destination, taken: number): void {
    const tunnel = tunnelOf(session);
    tunnel.destination = destination;
    tunnel.taken = taken;
    if (this.#log.isOn) this.#log.tell(session, 'route', { destination: textOf(destination) });
    const refused = policyOf(session).judgeHost(destination);
    if (refused !== null) return this.#refuse(session, refused.cause, refused.why);
    if (isIP(destination.host) !== 0) return this.#dial(session, [destination.host]);
    this.#lookUp(session, destination);
  }

  #lookUp(session: Session, destination: Destination): void {
    const { names, answers } = this.#options;
    const tunnel = tunnelOf(session);
    const { plan, keepMsMax } = proxyOf(session);
    const { resolveTimeoutMs: timeoutMs } = plan;
    const question = { name: destination.host, client: sourceKey(tunnel.source), timeoutMs, keepMsMax };
    const asked = names.ask(question, (found) =>
      this.#later(session, () => this.#lookedUp(session, destination, found)),
    );
    if (typeof asked !== 'function') return this.#lookedUp(session, destination, asked);
    tunnel.cancel = asked;
    answers.hold(session, session.row, timeoutMs + HOLD_MARGIN_MS);
  }

  #lookedUp(session: Session, destination: Destination, found: Found): void {
    const { host } = destination;
    switch (found.verdict) {
      case 'none':
        return this.#refuse(session, 'name', `${host} has no address (${found.error})`);
      case 'late':
        return this.#refuse(session, 'lookup_timeout', `the address of ${host} was not found in time`);
      case 'busy':
        return this.#refuse(session, 'busy', 'too many names are being looked up');
      case 'addresses': {
        const refused = policyOf(session).judgeAddresses(destination, found.addresses);
        if (refused !== null) return this.#refuse(session, refused.cause, refused.why);
        return this.#dial(session, found.addresses);
      }
    }
  }

  #dial(session: Session, hosts: readonly string[]): void {
    const { conversation, destination, taken } = tunnelOf(session);
    const port = destination?.port ?? 0;
    const addresses = interleaved(hosts.map((host) => ({ host: plainAddress(host), port })));
    session.endpoint = ENDPOINT;
    if (this.#log.isOn) this.#log.tell(session, 'connect', { addresses: addresses.length });
    this.#options.answers.dial(session, session.row, {
      addresses: addresses.slice(0, ADDRESSES_MAX),
      patient: false,
      endpoint: session.endpointId,
      endpointRow: session.runtime.counts.endpointRow(session.upstream, ENDPOINT),
      upstream: session.upstream,
      preamble: null,
      taken,
      greeting: conversation.granted,
    });
  }

  /** Datagrams are relayed from now on; whether to a target is decided when the first one comes. */
  #associate(session: Session, port: number, taken: number): void {
    const { engine, answers, atWork, flushSoon } = this.#options;
    const { slot, generation, row, upstream, runtime } = session;
    const endpoint = runtime.plan.ids.endpoints[upstream]?.[ENDPOINT] ?? NONE;
    const endpointRow = runtime.counts.endpointRow(upstream, ENDPOINT);
    const fd = engine.associate(slot, generation, row, endpoint, endpointRow, upstream, taken, port);
    if (fd === -constants.errno.EOPNOTSUPP)
      return this.#refuse(session, 'command', 'UDP ASSOCIATE is for clients that come over TCP');
    if (fd === -constants.errno.EDQUOT) return this.full(session);
    if (fd < 0) return this.#refuse(session, 'busy', `no relay can be opened (${errorName(-fd)})`);
    tunnelOf(session).status = CONNECTED;
    const association = new Association(fd, {
      dissociate: () => engine.dissociate(slot, generation),
      spoke: () => {
        session.error = 'the connection of an association is not for data';
        answers.end(session, row, 'proxy', 'relay', 'rejected', 'reset');
        flushSoon();
      },
    });
    session.served = association;
    atWork.add(association.finished);
  }

  connected(session: Session): void {
    const { events } = this.#options;
    session.error = undefined;
    tunnelOf(session).status = CONNECTED;
    if (this.#log.isOn) this.#log.tell(session, 'relay', { connect_ms: events.connectMs });
  }

  // ---- ends

  /** No address of the destination connects. */
  unreachable(session: Session): void {
    const { error } = this.#options.events;
    const failure = reasonOfFailure(error);
    const { counts } = session.runtime;
    const { counters } = counts;
    if (failure.lacking !== undefined)
      counters.addBy('anyport_dial_shortages_total', failure.lacking, counts.upstreamRow(session.upstream));
    if (failure.elsewhere) {
      const row = counts.endpointRow(session.upstream, ENDPOINT);
      counters.addBy('anyport_connect_failures_total', failure.reason, row);
    }
    const { by, reason } = failure;
    const why = `${destinationText(session)} can not be reached (${errorName(error)})`;
    this.#refuse(session, causeOf(error, failure), why, { by, during: 'connect', reason });
  }

  /** The user has as many sessions as he may. */
  full(session: Session): void {
    this.#refuse(session, 'busy', 'max_connections of the user');
  }

  /** The client has said all that it will, and that is no request: if it was a wrong password, that is why there is none. */
  #leave(session: Session): void {
    const { by, during, reason } = tunnelOf(session).hasGuessed ? refusals.credentials : GONE;
    this.#options.answers.end(session, session.row, by, during, reason, 'close');
  }

  #refuse(
    session: Session,
    cause: RefusalCause,
    why: string,
    { by, during, reason }: Ending = refusals[cause],
  ): void {
    this.#note(session, cause, why);
    const { answers } = this.#options;
    // Datagrams that go nowhere are not answered.
    if (session.transport === 'udp') return answers.end(session, session.row, by, during, reason, 'close');
    const bytes = tunnelOf(session).conversation.refusal(cause, why);
    answers.refuse(session, session.row, bytes, by, during, reason);
  }

  #note(session: Session, cause: RefusalCause, why: string): void {
    const { counters } = session.runtime.counts;
    counters.addBy('anyport_proxy_refusals_total', cause, counters.worker);
    session.error = why;
    tunnelOf(session).status = refusals[cause].status;
  }

  /** Between turns: it may have ended meanwhile. */
  #later(session: Session, act: () => void): void {
    const { lives, flushSoon } = this.#options;
    if (!lives(session)) return;
    tunnelOf(session).cancel = () => {};
    act();
    flushSoon();
  }
}

const CONNECTED = 200;
/** Of the upstreams of the proxy: what stands for all destinations. */
const ENDPOINT = 0;

/** By what the kernel says. */
const causes: ReadonlyMap<number, RefusalCause> = new Map([
  [constants.errno.ECONNREFUSED, 'connection'],
  [constants.errno.ENETUNREACH, 'network'],
]);

function causeOf(error: number, { reason, lacking }: FailedDial): RefusalCause {
  if (lacking !== undefined) return 'busy';
  return reason === 'connect_timeout' ? 'connect_timeout' : (causes.get(error) ?? 'host');
}

const textOf = ({ host, port }: Destination): string => hostPort(host, port);

function destinationText({ tunnel }: Session): string {
  return tunnel?.destination === undefined ? '' : textOf(tunnel.destination);
}

/** Of an upstream of the proxy; undefined: he may not use it any more. */
function upstreamOf({ plan, users }: ForwardProxy, user: string | undefined): number | undefined {
  if (users === null) return plan.upstream;
  return user === undefined ? undefined : users.find(user)?.upstream;
}

const policyOf = (session: Session): Policy => proxyOf(session).policies[session.transport];

function tunnelOf({ tunnel }: Session): Tunnel {
  assert(tunnel !== undefined, 'a session without a destination of its own');
  return tunnel;
}

function proxyOf({ runtime }: Session): ForwardProxy {
  assert(runtime.proxy !== null, 'a session was led to a proxy that the Plan has not');
  return runtime.proxy;
}
