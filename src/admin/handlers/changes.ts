/** Answers to requests that change the configuration: every outcome of a change has one. */
import { type Answer, json, refusal, refusedConfig } from '../answer.js';
import type { EditResult } from '../control.js';
import type { Described } from '../router.js';
import { ref } from '../schemas.js';

export const changeErrors = ['invalid_config', 'superseded', 'shutting_down'] as const;

export const changed: Described = { words: 'What has changed.', schema: ref('Change') };

/** `persisted`: whether a restart finds it again. */
export function changeAnswer(result: EditResult, persisted: boolean): Answer {
  switch (result.result) {
    case 'applied':
    case 'unchanged':
      return json(200, { ...result, persisted });
    case 'refused':
      return refusedConfig(result.problems);
    case 'superseded':
      return refusal('superseded', 'a newer configuration was asked for before it was the turn of this one');
    case 'called_off':
      return refusal('shutting_down', 'the daemon is shutting down');
    case 'changed_meanwhile':
      return refusal('changed_meanwhile', 'the configuration is not the one of `If-Match`: get it again');
    case 'exists':
      return refusal('exists', 'it is configured already: PUT replaces it', 'name');
    case 'missing':
      return refusal('not_found', 'it is not configured');
  }
}

export const isInForce = ({ result }: EditResult): boolean => result === 'applied' || result === 'unchanged';
