/** Probes against real sockets, well-behaved and hostile. */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { HealthCheck, Outcome, Over } from '../../src/health/check.js';
import { checks } from '../../src/health/checks/index.js';
import { aLine, anyDatagram, bytesOf, everything, through } from '../../src/health/line.js';
import { type ProbeAsk, probe } from '../../src/health/probe.js';
import type { SocketAddress } from '../../src/model/address.js';
import { tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

const temp = tempFolder();
afterAll(() => temp.remove());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that does this with each connection. */
async function serving(onConnection: (socket: Socket) => void, path?: string): Promise<SocketAddress> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve),
  );
  if (path !== undefined) return { path: path.replace(/^\0/, '@') };
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

describe('the source', () => {
  const from = ['127.0.0.9', '::9'];

  test('is the one of the family, over TCP', async () => {
    const seen: (string | undefined)[] = [];
    const address = await serving((socket) => {
      seen.push(socket.remoteAddress);
      socket.end('well\n');
    });
    const check = asking(async (line) => ({ well: (await line.read(aLine)).length > 0 }) as Outcome);
    expect(await ask(check, address, { from })).toEqual({ well: true });
    expect(seen).toEqual(['127.0.0.9']);
  });

  test('over UDP', async () => {
    const socket = createSocket('udp4');
    const seen: string[] = [];
    socket.on('message', (_, { address, port }) => {
      seen.push(address);
      socket.send('well', port, address);
    });
    closing.push(() => void socket.close());
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const check = asking(async (line) => {
      line.write('?');
      return { well: (await line.read(anyDatagram)).length > 0 } as Outcome;
    }, 'udp');
    const address = { host: '127.0.0.1', port: socket.address().port };
    expect(await ask(check, address, { from })).toEqual({ well: true });
    expect(seen).toEqual(['127.0.0.9']);
  });

  test('one that is not of this machine is a fault in our words', async () => {
    const address = await serving(() => {});
    const check = asking(async () => ({ well: true }));
    expect(await ask(check, address, { from: ['192.0.2.1'] })).toMatchObject({
      well: false,
      why: expect.stringMatching(/address/),
    });
  });
});

const asking = (run: HealthCheck['run'], over: Over = 'tcp'): HealthCheck => ({
  words: '',
  over,
  options: () => ({}),
  run,
});

const ask = (
  check: HealthCheck,
  address: SocketAddress,
  more: Partial<Pick<ProbeAsk, 'options' | 'timeoutMs' | 'signal' | 'from' | 'greeting'>> = {},
) =>
  probe({
    check,
    options: {},
    address,
    context: { serverName: 'localhost', upstream: 'web', endpoint: 'localhost:80' },
    timeoutMs: 5000,
    signal: new AbortController().signal,
    ...more,
  });

const why = (outcome: Outcome): string => (outcome.well ? 'well' : outcome.why);

const readAll = (until: Parameters<Parameters<HealthCheck['run']>[0]['read']>[0]) =>
  asking(async (line) => ({ well: true, note: (await line.read(until)).toString('latin1') }));

describe('over TCP', () => {
  test('an endpoint that takes connections is well; one that refuses is not', async () => {
    const address = await serving((socket) => socket.end());
    expect(await ask(checks.tcp, address)).toEqual({ well: true });
    for (const close of closing.splice(0)) close();
    expect(await ask(checks.tcp, address)).toEqual({ well: false, why: 'refused the connection' });
  });

  test('a unix socket, by its file and in the abstract namespace', async () => {
    const path = join(temp.path, 'a.sock');
    expect(await ask(checks.tcp, await serving(() => {}, path))).toEqual({ well: true });
    const abstract = `\0anyport-probe-${process.pid}`;
    expect(await ask(checks.tcp, await serving(() => {}, abstract))).toEqual({ well: true });
    expect(why(await ask(checks.tcp, { path: `${path}.none` }))).toBe('has no socket at its path');
  });

  test('what comes is taken piece by piece, however it is cut', async () => {
    const address = await serving((socket) => {
      for (const [index, byte] of [...'+OK a\r\n220 b\r\nrest'].entries())
        setTimeout(() => socket.write(byte), index);
      setTimeout(() => socket.end(), 60);
    });
    const check = asking(async (line) => {
      const first = await line.read(aLine);
      const digits = await line.read(bytesOf(3));
      const second = await line.read(through('b\r\n'));
      const last = await line.read(everything);
      return { well: true, note: [first, digits, second, last].join('|') };
    });
    expect(await ask(check, address)).toEqual({ well: true, note: '+OK a\r\n|220| b\r\n|rest' });
  });

  const hostile: { why: string; does: (socket: Socket) => void; expect: RegExp }[] = [
    { why: 'floods', does: (socket) => flood(socket), expect: /answered more than 4096 bytes/ },
    { why: 'is silent', does: () => {}, expect: /no answer within 300 ms/ },
    {
      why: 'closes',
      does: (socket) => socket.end('+O'),
      expect: /closed the connection before it had answered/,
    },
    { why: 'resets', does: (socket) => socket.resetAndDestroy(), expect: /reset the connection|closed/ },
    {
      why: 'drips',
      does: (socket) => void closing.push(clearing(setInterval(() => socket.write('x'), 20))),
      expect: /no answer within 300 ms/,
    },
  ];
  test.each(hostile)('an endpoint that $why is not well', async ({ does, expect: expected }) => {
    const address = await serving(does);
    expect(why(await ask(readAll(through('never')), address, { timeoutMs: 300 }))).toMatch(expected);
  });

  test('what floods is read up to the limit, and no more', async () => {
    let sent = 0;
    const address = await serving((socket) => flood(socket, (bytes) => (sent += bytes)));
    const outcome = await ask(readAll(everything), address);
    expect(outcome.well && outcome.note?.length).toBe(4096);
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  test('a check that throws is not well, and says nothing of what it read', async () => {
    const address = await serving((socket) => socket.write('secret'));
    const check = asking(async (line) => JSON.parse((await line.read(bytesOf(6))).toString()));
    expect(await ask(check, address)).toEqual({ well: false, why: 'the check failed (SyntaxError)' });
  });

  test('a check that goes on after its deadline is told by the signal, and its line is closed', async () => {
    let closed = false;
    const address = await serving((socket) => socket.on('end', () => (closed = true)).resume());
    let told = false;
    const check = asking(
      (line) => new Promise(() => line.signal.addEventListener('abort', () => (told = true))),
    );
    expect(why(await ask(check, address, { timeoutMs: 50 }))).toMatch('no answer within 50 ms');
    expect(told).toBe(true);
    await expect.poll(() => closed).toBe(true);
  });

  test('called off at once, before and while it asks', async () => {
    const address = await serving(() => {});
    const off = new AbortController();
    const asked = ask(readAll(everything), address, { signal: off.signal });
    off.abort();
    expect(why(await asked)).toBe('called off');
    expect(why(await ask(readAll(everything), address, { signal: off.signal }))).toBe('called off');
  });
});

function flood(socket: Socket, count: (bytes: number) => void = () => {}): void {
  const more = Buffer.alloc(65_536, 'x');
  const push = () => {
    while (socket.write(more)) count(more.length);
    count(more.length);
  };
  socket.on('drain', push);
  push();
}

const clearing = (timer: NodeJS.Timeout) => () => clearInterval(timer);

describe('TLS', () => {
  const directory = temp.path;
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name)) as [string, string];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3', '-subj', '/CN=localhost'];
  execFileSync(
    'openssl',
    [...made, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
    {
      stdio: 'ignore',
    },
  );
  const pem = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };

  async function tlsServing(): Promise<SocketAddress> {
    const server = createTlsServer({ ...pem, ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => socket.write(bytes));
    });
    server.on('tlsClientError', () => {});
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  const facts = (ca: string | undefined, serverName: string) =>
    asking(async (line) => {
      const shown = await line.startTls({ serverName, alpn: ['h2'], ...(ca && { ca }) });
      line.write('ping');
      const answer = (await line.read(bytesOf(4))).toString();
      const days = (Date.parse(shown.certificate.valid_to) - Date.now()) / 86_400_000;
      return { well: true, note: [shown.certificateFault, shown.alpn, answer, Math.round(days)].join() };
    });

  test.each([
    { why: 'trusted', ca: pem.cert, name: 'localhost', note: ',h2,ping,3' },
    { why: 'another name', ca: pem.cert, name: 'other', note: 'ERR_TLS_CERT_ALTNAME_INVALID,h2,ping,3' },
    { why: 'an address', ca: pem.cert, name: '127.0.0.1', note: 'ERR_TLS_CERT_ALTNAME_INVALID,h2,ping,3' },
    { why: 'unknown', ca: undefined, name: 'localhost', note: 'DEPTH_ZERO_SELF_SIGNED_CERT,h2,ping,3' },
  ])('a certificate: $why', async ({ ca, name, note }) => {
    expect(await ask(facts(ca, name), await tlsServing())).toEqual({ well: true, note });
  });

  test('an endpoint that does not speak it', async () => {
    const address = await serving((socket) => socket.end('220 hello\r\n'));
    expect(why(await ask(facts(undefined, 'localhost'), address))).toMatch(/failed the TLS handshake|closed/);
  });

  test('clear text before the handshake is a fault', async () => {
    const address = await serving((socket) => socket.write('220 go ahead\r\nEVIL'));
    const check = asking(async (line) => {
      await line.read(aLine);
      await line.startTls({ serverName: 'localhost' });
      return { well: true };
    });
    expect(why(await ask(check, address))).toBe('sent clear text before the handshake');
  });
});

describe('over UDP', () => {
  const echo = asking(async (line) => {
    line.write('ping');
    return {
      well: true,
      note: (await line.read((bytes) => (bytes[0] === 0x21 ? bytes.length : null))).toString(),
    };
  }, 'udp');

  test('an answer is a datagram; those that are none are passed over', async () => {
    const server = createSocket('udp4', (_, { port, address }) => {
      for (const each of ['stray', '!pong']) server.send(each, port, address);
    });
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const address = { host: '127.0.0.1', port: server.address().port };
    expect(await ask(echo, address)).toEqual({ well: true, note: '!pong' });
    for (const close of closing.splice(0)) close();
    expect(why(await ask(echo, address))).toBe('refused the connection');
  });

  test('one that floods is cut off', async () => {
    const server = createSocket('udp4', (_, { port, address }) => {
      for (let count = 0; count < 50; count += 1) server.send(Buffer.alloc(1000, 'x'), port, address);
    });
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const address = { host: '127.0.0.1', port: server.address().port };
    expect(why(await ask(echo, address))).toBe('answered more than 4096 bytes');
    const any = asking(async (line) => {
      line.write('x');
      return { well: true, note: String((await line.read(anyDatagram)).length) };
    }, 'udp');
    expect(await ask(any, address)).toEqual({ well: true, note: '1000' });
  });

  describe('a dialogue in rounds', () => {
    const rounds = [
      { send_hex: 'ff ff 54', expect_hex: 'ff ff 41' },
      { send: 'rules', expect_regex: '^E\\d+;' },
    ];
    const answers: Record<string, Buffer> = { ffff54: hex('ffff41 00'), '72756c6573': Buffer.from('E12;') };

    /** A server that answers what it knows, and remembers what it was asked. */
    async function answering(known: Record<string, Buffer>, heard: string[] = []): Promise<SocketAddress> {
      const server = createSocket('udp4', (datagram, { port, address }) => {
        heard.push(datagram.toString('hex'));
        const answer = known[datagram.toString('hex')];
        if (answer !== undefined) server.send(answer, port, address);
      });
      closing.push(() => server.close());
      await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
      return { host: '127.0.0.1', port: server.address().port };
    }

    const judge = (address: SocketAddress, more: { timeoutMs?: number; greeting?: Uint8Array } = {}) =>
      ask(checks.send_expect as HealthCheck, address, { options: { transport: 'udp', rounds }, ...more });

    test('each round is a datagram, and the next that comes is its answer', async () => {
      const heard: string[] = [];
      expect(await judge(await answering(answers, heard))).toEqual({ well: true });
      expect(heard).toEqual(Object.keys(answers));
    });

    test('a wrong answer names its round; none is one that is late; a closed port is said', async () => {
      const wrong = await answering({ ...answers, '72756c6573': Buffer.from('no') });
      expect(why(await judge(wrong))).toBe('does not answer round 2 as expected');
      expect(why(await judge(await answering({}), { timeoutMs: 200 }))).toBe('no answer within 200 ms');
      for (const close of closing.splice(0)) close();
      expect(why(await judge(wrong))).toBe('refused the connection');
    });

    test('what introduces it stands before every datagram', async () => {
      const introduced = Object.entries(answers).map(([asked, answer]) => [`0d0a${asked}`, answer] as const);
      const address = await answering(Object.fromEntries(introduced));
      expect(await judge(address, { greeting: hex('0d0a') })).toEqual({ well: true });
      expect(why(await judge(address, { timeoutMs: 200 }))).toBe('no answer within 200 ms');
    });
  });
});

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

test('a check that opens nothing has the signal alone', async () => {
  const check = asking(async (line, _, context) => {
    const said = await line.read(everything).catch((error: Error) => error.message);
    return { well: true, note: `${said} ${context.host}:${context.port} ${context.endpoint}` };
  }, 'nothing');
  const outcome = await ask(check, { host: '127.0.0.1', port: 1 });
  expect(outcome).toEqual({ well: true, note: 'this check has no line 127.0.0.1:1 localhost:80' });
});

describe('a command', () => {
  /** Starts a further process, writes down its number, and goes on as said. */
  async function leftBehind(goesOn: string, timeoutMs?: number): Promise<{ outcome: Outcome; pid: number }> {
    const file = join(temp.path, `left-${goesOn.replace(' ', '-')}`);
    const script = `sleep 1000 & echo $! > ${file}; ${goesOn}`;
    const check: HealthCheck = {
      ...checks.exec,
      over: 'nothing',
      run: (line, _, context) =>
        checks.exec.run(line, { command: '/bin/sh', args: ['-c', script] } as never, context),
    };
    const outcome = await ask(check, { host: '127.0.0.1', port: 1 }, timeoutMs ? { timeoutMs } : {});
    return { outcome, pid: Number(readFileSync(file, 'utf8')) };
  }

  /** Ended, or a zombie that nobody waits for, as in a container without init. */
  const isGone = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') ?? false;
    } catch {
      return true;
    }
  };

  test.each([
    { goesOn: 'exit 0', outcome: { well: true } },
    { goesOn: 'exit 1', outcome: { well: false, why: 'its command ended with 1' } },
  ])('leaves no process behind: $goesOn', async ({ goesOn, outcome }) => {
    const left = await leftBehind(goesOn);
    expect(left.outcome).toEqual(outcome);
    await eventually(`the end of ${left.pid}`, () => isGone(left.pid));
  });

  test('that hangs is killed with what it has started', async () => {
    const { outcome, pid } = await leftBehind('wait', 1000);
    expect(outcome).toEqual({ well: false, why: 'no answer within 1000 ms' });
    await eventually(`the end of ${pid}`, () => isGone(pid));
  });
});
