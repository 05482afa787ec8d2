/** The database of a PostgreSQL startup message; without one it is called like the user. */
import { exactText } from '../exact-text.js';

export const database = exactText({
  fact: 'database',
  description:
    'Database named in a PostgreSQL startup message, letter case kept; the name of the user where the client names none',
  values: 'name of a database',
  expected: 'the name of a database, of at most 512 bytes (in quotes if it is a number)',
});
