/** The node's clock, shown by this screen. The officer's own computer may be wrong; the node's clock is what statements carry. */

class Clock {
  label = $state("UTC");
  /** Milliseconds since the epoch, renewed every second. */
  now = $state(Date.now());
  #offset = 0;

  constructor() {
    setInterval(() => (this.now = this.exact()), 1000);
  }

  /** What the node said its time is. */
  told(now: string, label: string): void {
    this.#offset = Date.parse(now) - performance.now();
    this.label = label;
    this.now = this.exact();
  }

  exact(): number {
    return this.#offset === 0 ? Date.now() : performance.now() + this.#offset;
  }
}

export const clock = new Clock();
