/** Figures as the documents show them. */
import type { Results } from "./row.ts";

/** Three digits of small ones, all of large ones. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value >= 1_000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

/** The command that made the results, and the machine. */
export function whenOf({ command, machine }: Results): string {
  const { date, browser, cpu, cores, load, calibration } = machine;
  const loads = load.map((one) => one.toFixed(1)).join(" → ");
  const calibrations = calibration.map((one) => one.toFixed(0)).join(" → ");
  return `\`${command}\`, ${date}: ${browser}, ${String(cores)} cores (${cpu}), load ${loads}, calibration ${calibrations}.`;
}
