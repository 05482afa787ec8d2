/**
 * Inline Redis commands, one per line. A command counts only with arguments that the server would accept: right
 * number, and numbers and keywords where it requires them. The command words alone are too common.
 */
import { anyCase, lineEnd, oneOf } from './lines.js';

/** May contain spaces in quotes. */
const arg =
  '(?:[!#-&(-~\\x80-\\xff][\\x21-\\x7e\\x80-\\xff]*|"(?:[^\\x00\\r\\n"\\\\]|\\\\[^\\r\\n])*"|\'[^\\x00\\r\\n\']*\')';
const int = '-?[0-9]+';
const float = '[+-]?(?:[0-9.]+|inf)';
const more = `(?: ${arg})*`;
const key = arg;

const words = (list: string): string => anyCase(oneOf(list));

/** Commands that may open a connection, with the pattern of their arguments. */
const commands: readonly (readonly [string, string])[] = [
  [
    'PING INFO DBSIZE TIME ROLE COMMAND MONITOR MULTI RANDOMKEY LASTSAVE SAVE BGSAVE SYNC FLUSHDB FLUSHALL',
    '',
  ],
  [
    `PING ECHO KEYS TTL PTTL EXPIRETIME PEXPIRETIME PERSIST DUMP INCR DECR STRLEN GETDEL LLEN SCARD SMEMBERS HLEN HKEYS
     HVALS HGETALL ZCARD XLEN`,
    ` ${key}`,
  ],
  // Two characters at least: FTP's TYPE has a single letter.
  ['TYPE', ' [\\x21-\\x7e\\x80-\\xff]{2,}'],
  ['SELECT', ' [0-9]+'],
  ['AUTH', ` ${arg}(?: ${arg})?`],
  ['FLUSHDB FLUSHALL', ` ${words('ASYNC SYNC')}`],
  ['BGSAVE', ` ${anyCase('SCHEDULE')}`],
  [
    'DEL UNLINK EXISTS TOUCH MGET WATCH SUBSCRIBE PSUBSCRIBE SSUBSCRIBE SUNION SINTER SDIFF PFADD PFCOUNT',
    ` ${key}${more}`,
  ],
  ['LPOP RPOP SPOP SRANDMEMBER ZPOPMIN ZPOPMAX', ` ${key}(?: ${int})?`],
  ['GETEX', ` ${key}(?: ${words('EX PX EXAT PXAT')} ${int}| ${anyCase('PERSIST')})?`],
  ['SCAN', ` [0-9]+(?: ${words('MATCH COUNT TYPE')} ${arg})*`],
  ['HSCAN', ` ${key} [0-9]+(?: ${words('MATCH COUNT')} ${arg})*`],
  [
    'SORT',
    ` ${key}(?: ${words('BY GET STORE')} ${arg}| ${anyCase('LIMIT')} ${int} ${int}| ${words('ASC DESC ALPHA')})*`,
  ],
  ['SET', ` ${key} ${arg}(?: ${words('NX XX GET KEEPTTL')}| ${words('EX PX EXAT PXAT')} ${int})*`],
  [
    'GETSET SETNX APPEND RENAME RENAMENX RPOPLPUSH SISMEMBER HGET HEXISTS ZSCORE ZRANK PUBLISH',
    ` ${key} ${arg}`,
  ],
  ['INCRBY DECRBY MOVE LINDEX GETBIT WAIT', ` ${arg} ${int}`],
  ['INCRBYFLOAT', ` ${key} ${float}`],
  ['EXPIRE PEXPIRE EXPIREAT PEXPIREAT', ` ${key} ${int}(?: ${words('NX XX GT LT')})?`],
  ['GETRANGE LRANGE LTRIM SETBIT', ` ${key} ${int} ${int}`],
  ['SETEX PSETEX SETRANGE LSET LREM', ` ${key} ${int} ${arg}`],
  ['HSETNX SMOVE', ` ${key} ${arg} ${arg}`],
  ['HINCRBY', ` ${key} ${arg} ${int}`],
  ['ZINCRBY', ` ${key} ${float} ${arg}`],
  ['LPUSH RPUSH LPUSHX RPUSHX SADD SREM SMISMEMBER HMGET HDEL ZREM MSET MSETNX', ` ${key} ${arg}${more}`],
  ['HSET HMSET XACK', ` ${key} ${arg} ${arg}${more}`],
  ['ZRANGE ZRANGEBYSCORE ZCOUNT XRANGE', ` ${key} [0-9(\\[+-]${arg}? [0-9(\\[+-]${arg}?${more}`],
  ['BLPOP BRPOP', `(?: ${key})+ [0-9.]+`],
  ['LMOVE', ` ${key} ${key} ${words('LEFT RIGHT')} ${words('LEFT RIGHT')}`],
  ['LINSERT', ` ${key} ${words('BEFORE AFTER')} ${arg} ${arg}`],
  ['ZADD', ` ${key}(?: ${words('NX XX GT LT CH INCR')})*(?: ${float} ${arg})+`],
  ['COPY', ` ${key} ${key}(?: ${anyCase('DB')} [0-9]+)?(?: ${anyCase('REPLACE')})?`],
  ['XADD', ` ${key} (?:\\*|[0-9]+(?:-[0-9*]+)?) ${arg} ${arg}${more}`],
  ['XREAD', ` ${words('COUNT BLOCK STREAMS')} ${arg}${more}`],
  ['XGROUP', ` ${words('CREATE SETID DESTROY CREATECONSUMER DELCONSUMER')} ${key} ${arg}${more}`],
  ['EVAL EVALSHA FCALL', ` ${arg} [0-9]+${more}`],
  ['PSYNC', ` (?:\\?|[0-9a-f]+) ${int}`],
  ['REPLICAOF SLAVEOF', ` (?:${arg} [0-9]+|${anyCase('NO ONE')})`],
  // Section names only: a NATS server sends INFO with JSON.
  ['INFO', '(?: [A-Za-z]+)+'],
  ['HELLO', ` [23]${more}`],
];

/** Commands with subcommands. */
const containers: readonly (readonly [string, string])[] = [
  ['CONFIG', 'GET SET RESETSTAT REWRITE'],
  ['CLIENT', 'ID INFO LIST GETNAME SETNAME SETINFO KILL TRACKING REPLY'],
  ['CLUSTER', 'INFO NODES SLOTS SHARDS MYID KEYSLOT MEET'],
  ['COMMAND', 'COUNT DOCS INFO LIST GETKEYS'],
  ['DEBUG', 'OBJECT SLEEP RELOAD'],
  ['MEMORY', 'USAGE STATS DOCTOR'],
  ['MODULE', 'LIST LOAD'],
  ['OBJECT', 'ENCODING IDLETIME FREQ REFCOUNT'],
  ['PUBSUB', 'CHANNELS NUMSUB NUMPAT'],
  ['REPLCONF', 'LISTENING-PORT IP-ADDRESS CAPA ACK'],
  ['SCRIPT', 'LOAD EXISTS FLUSH'],
  ['SENTINEL', 'MASTERS MASTER GET-MASTER-ADDR-BY-NAME REPLICAS SLAVES'],
  ['SLOWLOG', 'GET LEN RESET'],
  ['ACL', 'WHOAMI LIST USERS CAT'],
];

/** Patterns of whole lines. */
export const inlinePatterns: readonly string[] = [
  ...commands.map(([names, takes]) => `${words(names)}${takes}`),
  ...containers.map(([name, subcommands]) => `${anyCase(name)} ${words(subcommands)}${more}`),
].map((command) => `^${command.replaceAll(' ', ' +')} *${lineEnd}`);
