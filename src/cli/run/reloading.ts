/** SIGHUP as a reload: one that comes during the start is made when the daemon is ready. */
import type { ChangeResult, Settings } from '../../model/settings.js';

export interface ReloadListener {
  /** The first of one or several reloads begins. */
  reloading(): void;
  /** The last one has ended. Not called when the daemon is shutting down. */
  reloaded(result: ChangeResult): void;
}

export class Reloading {
  #settings: Settings | null = null;
  #listener: ReloadListener | null = null;
  #isWanted = false as boolean;
  #running = 0;

  /** SIGHUP. Signals in quick succession are one reload, or two: settings keep the newest request that waits. */
  hangUp(): void {
    if (this.#settings === null) this.#isWanted = true;
    else void this.#reload(this.#settings);
  }

  begin(settings: Settings, listener: ReloadListener): void {
    this.#settings = settings;
    this.#listener = listener;
    if (this.#isWanted) this.hangUp();
  }

  async #reload(settings: Settings): Promise<void> {
    this.#running += 1;
    if (this.#running === 1) this.#listener?.reloading();
    const result = await settings.reload('signal');
    this.#running -= 1;
    if (this.#running === 0 && result.result !== 'called_off') this.#listener?.reloaded(result);
  }
}
