/** Kafka: the header of the first request, with the client id. */
import type { FactsAnswer } from '../model/facts.js';
import type { Confirmation, Protocol } from '../model/protocol.js';
import { match, more, no } from './confirmation.js';
import { asBuffer } from './cursor.js';

const lengthBytes = 4;
/** Length, API key, version, correlation id, length of the client id. */
const headerBytes = 14;
const nullLength = 0xffff;

export const kafka: Protocol = {
  id: 'kafka',
  transports: ['tcp'],
  rank: 47,
  // API keys that open a connection: Fetch, ListOffsets, Metadata, OffsetCommit, OffsetFetch, FindCoordinator,
  // JoinGroup, DescribeGroups, ListGroups, SaslHandshake, ApiVersions, CreateTopics, DeleteTopics. Produce (key 0)
  // only with a client id of three letters or more: ZooKeeper's opening looks alike but has no text there.
  signature: {
    patterns: [
      '^\\x00\\x00[^]{2}\\x00[\\x01-\\x03\\x08-\\x0b\\x0f-\\x14]\\x00[\\x00-\\x1f][^]{4}(?:[\\x00-\\x03][^]|\\xff\\xff)',
      '^\\x00\\x00[^]{2}\\x00\\x00\\x00[\\x00-\\x0f][^]{4}\\x00[\\x03-\\xff]',
    ],
    checks: ['u32be(0) >= 10'],
  },
  confirm: confirmKafka,
  factNames: ['client_id'],
  words: 'LENGTH, API key and version, correlation id, client id',
  source: 'Kafka protocol, request header',
  facts: kafkaFacts,
};

/** The client id must lie within the request and be text. */
export function confirmKafka(bytes: Uint8Array): Confirmation {
  if (bytes.length < headerBytes) return more(headerBytes);
  const request = asBuffer(bytes);
  const end = headerBytes + nameBytes(request);
  const isText = request.subarray(headerBytes, end).every((byte) => byte >= 0x20 && byte !== 0x7f);
  if (end > lengthBytes + request.readUInt32BE(0) || !isText) return no;
  return bytes.length < end ? more(end) : match;
}

export function kafkaFacts(bytes: Uint8Array): FactsAnswer {
  if (bytes.length < headerBytes) return { verdict: 'more', bytesNeeded: headerBytes, facts: {} };
  const request = asBuffer(bytes);
  const end = headerBytes + nameBytes(request);
  if (bytes.length < end) return { verdict: 'more', bytesNeeded: end, facts: {} };
  const name = request.toString('utf8', headerBytes, end);
  return { verdict: 'facts', facts: name === '' ? {} : { client_id: name } };
}

function nameBytes(request: Buffer): number {
  const length = request.readUInt16BE(headerBytes - 2);
  return length === nullLength ? 0 : length;
}
