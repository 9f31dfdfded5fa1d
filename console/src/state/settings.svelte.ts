/** How this screen looks and sounds; kept in this browser, by officer's choice. */

export type Light = "night" | "day" | "dim";
export const LIGHTS: readonly Light[] = ["night", "day", "dim"];

interface Kept {
  light: Light;
  letters: boolean; // single-letter keys
  volume: number; // 0.2 to 1: an alarm can be quieter, never off
  zone: string; // for local time beside Zulu
}

function kept(): Kept {
  const found = JSON.parse(localStorage.getItem("settings") ?? "{}") as Partial<Kept>;
  return {
    light: LIGHTS.includes(found.light as Light) ? (found.light as Light) : "night",
    letters: found.letters ?? true,
    volume: Math.min(1, Math.max(0.2, found.volume ?? 0.7)),
    zone: found.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

class Settings {
  light = $state<Light>("night");
  letters = $state(true);
  volume = $state(0.7);
  zone = $state("UTC");

  constructor() {
    let found: Kept;
    try {
      found = kept();
    } catch {
      found = { light: "night", letters: true, volume: 0.7, zone: "UTC" };
    }
    Object.assign(this, found);
    $effect.root(() => {
      $effect(() => {
        document.documentElement.dataset.light = this.light;
        localStorage.setItem("settings", JSON.stringify({ light: this.light, letters: this.letters, volume: this.volume, zone: this.zone }));
      });
    });
  }

  nextLight(): void {
    this.light = LIGHTS[(LIGHTS.indexOf(this.light) + 1) % LIGHTS.length]!;
  }
}

export const settings = new Settings();
