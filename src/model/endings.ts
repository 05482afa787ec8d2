/** Ways in which sessions end by a configuration. */
import type { Config } from './config.js';
import type { Closing } from './session.js';

/** Whether a session may end in this way. */
export function mayEndBy(
  { listeners, protocols, routes }: Pick<Config, 'listeners' | 'protocols' | 'routes'>,
  closing: Closing,
): boolean {
  const targets = [
    ...routes.map(({ to }) => to),
    ...protocols.map(({ target }) => target),
    ...listeners.flatMap(({ onUnknown, onSilence }) => [onUnknown, onSilence?.to]),
  ];
  return targets.some((target) => target?.kind === 'end' && target.closing === closing);
}
