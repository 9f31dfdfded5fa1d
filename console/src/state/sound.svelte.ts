/**
 * Alarm sounds, made here: no file to fetch, so they play when the node is gone. A browser plays nothing before somebody has pressed
 * something on the page; `ready` is false until then, and the frame says so.
 */
import { settings } from "./settings.svelte";

export type Sound = "emergency" | "warning" | "caution" | "not-live" | "test";

// [frequency in Hz, start and length in seconds] and the time after which it repeats. Told apart by rhythm, not by pitch alone.
const PATTERNS: Record<Sound, { notes: [number, number, number][]; every: number }> = {
  emergency: { notes: [[880, 0, 0.15], [660, 0.2, 0.15], [880, 0.4, 0.15], [660, 0.6, 0.15]], every: 1 },
  warning: { notes: [[660, 0, 0.18], [660, 0.28, 0.18]], every: 2 },
  caution: { notes: [[440, 0, 0.25]], every: 5 },
  "not-live": { notes: [[330, 0, 0.5], [247, 0.6, 0.5]], every: 2.5 },
  test: { notes: [[523, 0, 0.18], [659, 0.22, 0.18], [784, 0.44, 0.3]], every: 0 },
};

class SoundState {
  ready = $state(false);
  playing = $state<Sound | null>(null);
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    const wake = () => {
      if (this.#context?.state !== "running") void this.wake();
    };
    addEventListener("pointerdown", wake, { capture: true });
    addEventListener("keydown", wake, { capture: true });
  }

  /** Asks the browser for sound; works once somebody has pressed something. */
  async wake(): Promise<boolean> {
    this.#context ??= new AudioContext();
    if (this.#context.state !== "running") await Promise.race([this.#context.resume(), new Promise((done) => setTimeout(done, 300))]);
    this.ready = this.#context.state === "running";
    return this.ready;
  }

  /** Plays a sound over and over until another takes its place or `quiet` is called. */
  play(sound: Sound | null): void {
    if (sound === this.playing) return;
    clearInterval(this.#timer);
    this.playing = sound;
    document.documentElement.dataset.sound = sound ?? "";
    if (!sound) return;
    this.once(sound);
    this.#timer = setInterval(() => this.once(sound), PATTERNS[sound].every * 1000);
  }

  once(sound: Sound): void {
    dispatchEvent(new CustomEvent("detente:sound", { detail: sound }));
    const context = this.#context;
    if (!context || context.state !== "running") return;
    const start = context.currentTime + 0.02;
    for (const [frequency, at, length] of PATTERNS[sound].notes) {
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.type = "triangle";
      tone.frequency.value = frequency;
      gain.gain.setValueAtTime(0, start + at);
      gain.gain.linearRampToValueAtTime(settings.volume * 0.5, start + at + 0.01); // ramps: a square edge clicks
      gain.gain.setValueAtTime(settings.volume * 0.5, start + at + length - 0.02);
      gain.gain.linearRampToValueAtTime(0, start + at + length);
      tone.connect(gain).connect(context.destination);
      tone.start(start + at);
      tone.stop(start + at + length);
    }
  }
}

export const sound = new SoundState();
