import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Engine = "chromium" | "firefox" | "webkit";
export const ENGINES: readonly Engine[] = ["chromium", "firefox", "webkit"];

/** Flags for a Chromium that is quiet, works offline, and can run as root in a container. */
export const CHROMIUM_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--disable-component-update",
  "--disable-background-networking",
  "--disable-dev-shm-usage",
  "--no-default-browser-check",
  "--no-first-run",
];

/** The browser's executable; WebKit needs its driver too, and where there is no display a broadway server. */
export interface Installed {
  readonly executable: string;
  readonly driver?: string;
  readonly display?: string;
}

/** Where an engine is installed: the environment's word first, then the system, then Playwright's cache. */
export function findEngine(engine: Engine): Installed | undefined {
  if (engine === "webkit") return findWebKit();
  const names = {
    chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    firefox: ["firefox-esr", "firefox"],
  }[engine];
  const executable =
    fromEnv(engine.toUpperCase()) ?? onPath(names) ?? { chromium: cachedChromium, firefox: cachedFirefox }[engine]();
  return executable === undefined ? undefined : { executable };
}

function findWebKit(): Installed | undefined {
  const executable = fromEnv("WEBKIT") ?? miniBrowser();
  const driver = fromEnv("WEBKIT_DRIVER") ?? onPath(["WebKitWebDriver"]);
  const display = onPath(["broadwayd", "gtk4-broadwayd"]);
  const hasDisplay = process.env["DISPLAY"] !== undefined || process.env["WAYLAND_DISPLAY"] !== undefined;
  if (executable === undefined || driver === undefined) return undefined;
  if (display === undefined) return hasDisplay ? { executable, driver } : undefined;
  return { executable, driver, display };
}

function fromEnv(name: string): string | undefined {
  const path = process.env[name];
  return path !== undefined && existsSync(path) ? path : undefined;
}

function onPath(names: readonly string[]): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).concat("/usr/bin", "/usr/local/bin");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

function miniBrowser(): string | undefined {
  const flavours = ["webkit2gtk-4.1", "webkit2gtk-4.0"]; // GTK 3: the broadway display of libgtk-3-bin fits these
  const folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/libexec", "/usr/lib64"];
  return folders
    .flatMap((at) => flavours.map((flavour) => join(at, flavour, "MiniBrowser")))
    .find((path) => existsSync(path));
}

/** What `npm test` downloaded. */
function cachedFirefox(): string | undefined {
  const cache = fileURLToPath(new URL("../../.cache/browsers/firefox", import.meta.url));
  const builds = existsSync(cache) ? readdirSync(cache).sort().reverse() : [];
  return builds.map((build) => join(cache, build, "firefox/firefox")).find((path) => existsSync(path));
}

/** Playwright's Firefox is a patched build that speaks its own protocol only, so just its Chromium is of use. */
function cachedChromium(): string | undefined {
  const cache = process.env["PLAYWRIGHT_BROWSERS_PATH"] ?? join(homedir(), ".cache/ms-playwright");
  if (!existsSync(cache)) return undefined;
  const builds = readdirSync(cache)
    .filter((name) => name.startsWith("chromium"))
    .sort()
    .reverse();
  const inside = [
    "chrome-linux/chrome",
    "chrome-linux64/chrome",
    "chrome-linux/headless_shell",
    "chrome-headless-shell-linux64/chrome-headless-shell",
  ];
  return builds.flatMap((build) => inside.map((path) => join(cache, build, path))).find((path) => existsSync(path));
}
