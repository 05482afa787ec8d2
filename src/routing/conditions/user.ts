/** The user that a client names in its opening: PostgreSQL, MQTT, LDAP, SOCKS4. Nobody has authenticated it yet. */
import { exactText } from '../exact-text.js';

export const user = exactText({
  fact: 'user',
  description:
    'User named in the opening (PostgreSQL startup message, MQTT CONNECT, LDAP bind …), letter case kept. Not yet authenticated. A PostgreSQL client that asks for TLS first names none: rules on it are refused',
  values: 'user name',
  expected: 'a user name, of at most 512 bytes (in quotes if it is a number)',
});
