/** Light, dark, or as the system has it; remembered by this browser. */
import type { Ui } from "./state.ts";

const KEY = "audit theme";

export function readTheme(): Ui["theme"] {
  const kept = read(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function applyTheme(theme: Ui["theme"]): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function keepTheme(theme: Ui["theme"]): void {
  write(KEY, theme);
}

/** A small thing that this browser keeps; nothing when it keeps none. */
function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined; // storage is switched off
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // it is then not kept
  }
}
