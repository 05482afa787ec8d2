/** The client id of an MQTT CONNECT, or of a Kafka request. */
import { exactText } from '../exact-text.js';

export const clientId = exactText({
  fact: 'client_id',
  description: 'Client id in an MQTT CONNECT or a Kafka request, letter case kept',
  values: 'client id',
  expected: 'a client id, of at most 512 bytes (in quotes if it is a number)',
});
