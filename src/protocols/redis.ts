/** Redis: a command as a RESP array of bulk strings, which every client library sends, or inline, as people type it. */
import type { Protocol } from '../model/protocol.js';
import { anyCase, lineEnd, oneOf, rest, word } from './lines.js';

/** Of the server's commands those that a connection may begin with, by the arguments they take. */
const alone = anyCase(
  oneOf(
    'PING INFO DBSIZE TIME ROLE COMMAND MONITOR MULTI RANDOMKEY LASTSAVE SAVE BGSAVE SYNC FLUSHDB FLUSHALL',
  ),
);
const one = anyCase(
  oneOf(`
    ECHO SELECT KEYS TYPE TTL PTTL EXPIRETIME PEXPIRETIME PERSIST DUMP INCR DECR STRLEN GETDEL LLEN SCARD SMEMBERS
    HLEN HKEYS HVALS HGETALL ZCARD XLEN
  `),
);
const some = anyCase(
  oneOf(`
    PING AUTH DEL UNLINK EXISTS TOUCH MGET GETEX WATCH SUBSCRIBE PSUBSCRIBE SSUBSCRIBE LPOP RPOP SPOP SRANDMEMBER
    ZPOPMIN ZPOPMAX SCAN SORT SUNION SINTER SDIFF PFADD PFCOUNT FLUSHDB FLUSHALL BGSAVE
  `),
);
const several = anyCase(
  oneOf(`
    SET GETSET SETNX MSET MSETNX APPEND INCRBY DECRBY INCRBYFLOAT SETEX PSETEX GETRANGE SETRANGE GETBIT SETBIT
    EXPIRE PEXPIRE EXPIREAT PEXPIREAT RENAME RENAMENX COPY MOVE
    LPUSH RPUSH LPUSHX RPUSHX LRANGE LINDEX LINSERT LREM LSET LTRIM BLPOP BRPOP RPOPLPUSH LMOVE
    SADD SREM SISMEMBER SMISMEMBER SMOVE HSET HSETNX HMSET HGET HMGET HDEL HEXISTS HINCRBY HSCAN
    ZADD ZREM ZSCORE ZINCRBY ZRANGE ZRANGEBYSCORE ZREVRANGE ZRANK ZCOUNT
    XADD XRANGE XREAD XGROUP XACK PUBLISH EVAL EVALSHA FCALL PSYNC REPLICAOF SLAVEOF WAIT
  `),
);

/** Commands whose first argument is a word of the server's own. */
const containers = [
  `${anyCase('HELLO')} [23]`,
  `${anyCase('CONFIG')} ${anyCase(oneOf('GET SET RESETSTAT REWRITE'))}`,
  `${anyCase('CLIENT')} ${anyCase(oneOf('ID INFO LIST GETNAME SETNAME SETINFO KILL TRACKING REPLY'))}`,
  `${anyCase('CLUSTER')} ${anyCase(oneOf('INFO NODES SLOTS SHARDS MYID KEYSLOT MEET'))}`,
  `${anyCase('COMMAND')} ${anyCase(oneOf('COUNT DOCS INFO LIST GETKEYS'))}`,
  `${anyCase('DEBUG')} ${anyCase(oneOf('OBJECT SLEEP RELOAD'))}`,
  `${anyCase('MEMORY')} ${anyCase(oneOf('USAGE STATS DOCTOR'))}`,
  `${anyCase('MODULE')} ${anyCase(oneOf('LIST LOAD'))}`,
  `${anyCase('OBJECT')} ${anyCase(oneOf('ENCODING IDLETIME FREQ REFCOUNT'))}`,
  `${anyCase('PUBSUB')} ${anyCase(oneOf('CHANNELS NUMSUB NUMPAT'))}`,
  `${anyCase('REPLCONF')} ${anyCase(oneOf('LISTENING-PORT IP-ADDRESS CAPA ACK'))}`,
  `${anyCase('SCRIPT')} ${anyCase(oneOf('LOAD EXISTS FLUSH'))}`,
  `${anyCase('SENTINEL')} ${anyCase(oneOf('MASTERS MASTER GET-MASTER-ADDR-BY-NAME REPLICAS SLAVES'))}`,
  `${anyCase('SLOWLOG')} ${anyCase(oneOf('GET LEN RESET'))}`,
  `${anyCase('ACL')} ${anyCase(oneOf('WHOAMI LIST USERS CAT'))}`,
];

const inline = [
  alone,
  `${one} ${word}`,
  // Names of sections: a NATS server says INFO and JSON.
  `${anyCase('INFO')}(?: [A-Za-z]+)+`,
  // HTTP/0.9 asks for a path in the same manner.
  `${anyCase('GET')} [\\x21-\\x2e\\x30-\\x7e\\x80-\\xff]${word.replace('+', '*')}`,
  `${some} ${rest}`,
  `${several} ${word} ${rest}`,
  ...containers.map((container) => `${container}(?: ${rest})?`),
];

export const redis: Protocol = {
  id: 'redis',
  transports: ['tcp'],
  // A command typed inline is a line that many could send: whoever knows more of it goes first.
  rank: 90,
  signature: {
    patterns: [
      // The digits are bounded as in the server: 1,048,576 arguments, 512 MiB each.
      '^\\*[1-9][0-9]{0,6}\\r\\n\\$[0-9]{1,9}\\r\\n',
      ...inline.map((command) => `^${command} *${lineEnd}`),
    ],
    // The longest inline command is 64 KiB, the longest that is waited for one line of a terminal.
    maxBytes: 4096,
  },
  words: 'a RESP array of bulk strings (*COUNT CRLF $LENGTH CRLF), or a line with a command of the server',
  source: 'Redis serialization protocol (RESP2, RESP3, inline commands)',
};
