/** The handshakes against the vectors that other implementations have published. */
import { createCipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Handshake, type HandshakeOptions, type PatternName } from '../../src/kcp/noise.js';
import { keyPairOf, sharedSecret } from '../../src/kcp/x25519.js';

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_psks?: readonly string[];
  readonly init_ephemeral: string;
  readonly init_remote_static?: string;
  readonly resp_static?: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const { vectors } = JSON.parse(readFileSync(new URL('noise-vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};

const bytes = (hex: string) => Buffer.from(hex, 'hex');

function sidesOf(vector: Vector): { readonly client: Handshake; readonly server: Handshake } {
  const pattern = vector.protocol_name.split('_')[1] as PatternName;
  const [psk] = vector.init_psks ?? [];
  const common = {
    pattern,
    prologue: bytes(vector.init_prologue),
    ...(psk !== undefined && { psk: bytes(psk) }),
  } satisfies HandshakeOptions;
  const { init_remote_static: known, resp_static: secret } = vector;
  return {
    client: new Handshake('client', {
      ...common,
      ephemeral: bytes(vector.init_ephemeral),
      ...(known !== undefined && { server: bytes(known) }),
    }),
    server: new Handshake('server', {
      ...common,
      ephemeral: bytes(vector.resp_ephemeral),
      ...(secret !== undefined && { server: keyPairOf(bytes(secret)) }),
    }),
  };
}

/** A transport message, whose nonce is its number in its direction (Noise §5.1). */
function transport(key: Buffer, number: number, payload: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(number, 4);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
}

test('there is a vector for each pattern', () => {
  expect(vectors.map((vector) => vector.protocol_name)).toEqual(
    ['NN', 'NNpsk0', 'NKpsk0'].map((name) => `Noise_${name}_25519_ChaChaPoly_SHA256`),
  );
});

test.each(vectors)('$protocol_name says what the vector says', (vector) => {
  const { client, server } = sidesOf(vector);
  const [first, second, ...rest] = vector.messages.map((each) => ({
    payload: bytes(each.payload),
    ciphertext: bytes(each.ciphertext),
  }));
  expect(client.write(first?.payload as Buffer)).toEqual(first?.ciphertext);
  expect(server.read(first?.ciphertext as Buffer)).toEqual(first?.payload);
  expect(server.write(second?.payload as Buffer)).toEqual(second?.ciphertext);
  expect(client.read(second?.ciphertext as Buffer)).toEqual(second?.payload);
  expect(client.hash.toString('hex')).toBe(vector.handshake_hash);
  expect(server.hash).toEqual(client.hash);
  const [up, down] = [client.split(), server.split()];
  expect([up.send, up.receive]).toEqual([down.receive, down.send]);
  for (const [index, { payload, ciphertext }] of rest.entries()) {
    const key = index % 2 === 0 ? up.send : down.send;
    expect(transport(key, index >> 1, payload)).toEqual(ciphertext);
  }
});

test.each(vectors)(
  '$protocol_name: no byte of a sealed message may differ, and none be missing',
  (vector) => {
    const message = bytes(vector.messages[0]?.ciphertext ?? '');
    const isSealed = vector.init_psks !== undefined;
    for (let at = 0; at < message.length; at += 1) {
      const altered = Buffer.from(message);
      altered[at] = (altered[at] as number) ^ 1;
      const payload = sidesOf(vector).server.read(altered);
      if (isSealed) expect(payload, `byte ${at}`).toBeNull();
    }
    for (let length = 0; length < message.length; length += 1) {
      const payload = sidesOf(vector).server.read(message.subarray(0, length));
      if (isSealed || length < 32) expect(payload, `${length} bytes`).toBeNull();
    }
  },
);

test('NN: what the client has said is bound into the answer', () => {
  const [vector] = vectors as [Vector];
  const [first, second] = vector.messages.map(({ ciphertext }) => bytes(ciphertext)) as [Buffer, Buffer];
  const { client, server } = sidesOf(vector);
  client.write(bytes(vector.messages[0]?.payload ?? ''));
  const altered = Buffer.from(first);
  altered[first.length - 1] = (altered[first.length - 1] as number) ^ 1;
  server.read(altered);
  const answer = server.write(Buffer.from('answer')) as Buffer;
  expect(client.read(answer)).toBeNull();
  expect(answer.subarray(0, 32)).toEqual(second.subarray(0, 32));
});

test('another psk, another prologue or another key of the server is no handshake', () => {
  const [, , vector] = vectors as [Vector, Vector, Vector];
  const message = bytes(vector.messages[0]?.ciphertext ?? '');
  const right = {
    pattern: 'NKpsk0',
    prologue: bytes(vector.init_prologue),
    psk: bytes(vector.init_psks?.[0] ?? ''),
    server: keyPairOf(bytes(vector.resp_static ?? '')),
  } as const;
  const read = (options: Partial<HandshakeOptions>) =>
    new Handshake('server', { ...right, ...options }).read(message);
  expect(read({})).not.toBeNull();
  expect(read({ psk: Buffer.alloc(32, 1) })).toBeNull();
  expect(read({ prologue: Buffer.from('another') })).toBeNull();
  expect(read({ server: keyPairOf(Buffer.alloc(32, 7)) })).toBeNull();
});

test('points of low order are refused', () => {
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
  const own = keyPairOf(Buffer.alloc(32, 9));
  for (const point of [zero, one]) {
    expect(sharedSecret(own.private, point)).toBeNull();
    const server = new Handshake('server', { pattern: 'NN', prologue: Buffer.alloc(0) });
    expect(server.read(Buffer.concat([point, Buffer.from('payload')]))).toEqual(Buffer.from('payload'));
    expect(server.write(Buffer.alloc(0))).toBeNull();
  }
});
