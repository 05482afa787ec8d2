/** A minimal Redis server for demonstrations: replies to a few commands, stores nothing. */
import { converse } from './conversation.js';
import type { Handler, HandlerSession } from './handler.js';
import { type Command, type Parsed, RespParser, reply } from './resp.js';

interface Conversation {
  readonly session: HandlerSession;
  /** RESP version, set by HELLO. */
  version: 2 | 3;
  over: boolean;
}

type Answer = (args: Command, conversation: Conversation) => Buffer;

interface CommandEntry {
  /** Minimum and maximum number of arguments after the command name. */
  readonly args: readonly [number, number];
  readonly answer: Answer;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  PING: { args: [0, 1], answer: ([message]) => (message ? reply.bulk(message) : reply.simple('PONG')) },
  ECHO: { args: [1, 1], answer: ([message]) => reply.bulk(message as Buffer) },
  COMMAND: { args: [0, 1024], answer: () => reply.array([]) },
  INFO: { args: [0, 64], answer: (_, { session }) => reply.bulk(Buffer.from(infoOf(session))) },
  HELLO: { args: [0, 7], answer: hello },
  SELECT: { args: [1, 1], answer: select },
  CLIENT: { args: [1, 64], answer: client },
  QUIT: { args: [0, 0], answer: quit },
};

export const redis: Handler = (socket, session) => {
  const conversation: Conversation = { session, version: 2, over: false };
  const parser = new RespParser();
  converse(socket, {
    push: (chunk) => parser.push(chunk),
    next: () => {
      const parsed = parser.next();
      return parsed && replyTo(parsed, conversation);
    },
    get over() {
      return conversation.over;
    },
  });
};

function replyTo(parsed: Parsed, conversation: Conversation): Buffer {
  if ('command' in parsed) return answer(parsed.command, conversation);
  conversation.over = true;
  return reply.error(`Protocol error: ${parsed.problem}`);
}

function answer([name, ...args]: Command, conversation: Conversation): Buffer {
  const word = String(name).toUpperCase();
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
  if (!command) return reply.error(`unknown command '${String(name).slice(0, 64)}'`);
  const [min, max] = command.args;
  if (args.length < min || args.length > max) {
    return reply.error(`wrong number of arguments for '${word.toLowerCase()}' command`);
  }
  return command.answer(args, conversation);
}

function hello([version]: Command, conversation: Conversation): Buffer {
  const wanted = version === undefined ? conversation.version : Number(version);
  if (wanted !== 2 && wanted !== 3) return Buffer.from('-NOPROTO unsupported protocol version\r\n');
  conversation.version = wanted;
  const text = (value: string) => reply.bulk(Buffer.from(value));
  const fields = [
    [text('server'), text('anyport')],
    [text('version'), text('7.0.0')],
    [text('proto'), reply.integer(wanted)],
    [text('mode'), text('standalone')],
    [text('role'), text('master')],
    [text('modules'), reply.array([])],
  ].flat();
  return wanted === 3 ? reply.map(fields) : reply.array(fields);
}

function select([database]: Command): Buffer {
  return String(database) === '0' ? reply.simple('OK') : reply.error('DB index is out of range');
}

function client([subcommand]: Command): Buffer {
  const word = String(subcommand).toUpperCase();
  if (word === 'SETNAME' || word === 'SETINFO') return reply.simple('OK');
  return reply.error(`unknown subcommand '${String(subcommand).slice(0, 64)}'`);
}

function quit(_: Command, conversation: Conversation): Buffer {
  conversation.over = true;
  return reply.simple('OK');
}

function infoOf(session: HandlerSession): string {
  const fields = {
    redis_version: '7.0.0',
    server_name: 'anyport',
    protocol: session.protocol ?? 'unknown',
    decided_at_byte: session.decidedAtByte,
    identify_ms: session.identifyMs.toFixed(3),
    client_address: session.source,
    listener: session.listener,
    worker: session.worker,
  };
  const lines = Object.entries(fields).map(([key, value]) => `${key}:${value}\r\n`);
  return `# Server\r\n${lines.join('')}`;
}
