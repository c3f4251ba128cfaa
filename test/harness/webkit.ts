/** WebKitGTK by WebDriver classic: one driver, one MiniBrowser, fresh storage. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findEngine } from "./engines.ts";
import { eventually, freePort, start, type Kid } from "./processes.ts";

export interface WebKitSession {
  /** A WebDriver command under `/session/<id>`. */
  readonly command: (method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<unknown>;
  /** The driver's; the browser's are below it. */
  readonly pid: number | undefined;
  /** Whether the browser still runs. */
  readonly isAlive: () => boolean;
  readonly close: () => Promise<void>;
  /** SIGKILL for the driver, the browser and its processes. */
  readonly kill: () => Promise<void>;
}

export interface Display {
  readonly env: NodeJS.ProcessEnv;
  readonly close: () => Promise<void>;
}

const DISPLAY = ":1"; // names a socket in the runtime folder, which is new each time

/** A screen for GTK: the one there is, or else a broadway server, which needs no X server. */
export async function openDisplay(): Promise<Display> {
  const broadwayd = findEngine("webkit")?.display;
  const hasDisplay = process.env["DISPLAY"] !== undefined || process.env["WAYLAND_DISPLAY"] !== undefined;
  if (hasDisplay || broadwayd === undefined) return { env: process.env, close: () => Promise.resolve() };
  const runtime = mkdtempSync(join(tmpdir(), "troupe-broadway-"));
  const port = await freePort();
  const env = { ...process.env, GDK_BACKEND: "broadway", BROADWAY_DISPLAY: DISPLAY, XDG_RUNTIME_DIR: runtime };
  const server = start(broadwayd, ["--address=127.0.0.1", `--port=${port}`, DISPLAY], env);
  await eventually("broadwayd", () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.ok || undefined));
  const close = async (): Promise<void> => {
    await server.kill();
    rmSync(runtime, { recursive: true, force: true });
  };
  return { env, close };
}

/** Starts a browser of its own for this session: WebKitWebDriver holds one session at a time. */
export async function startWebKit(display: Display): Promise<WebKitSession> {
  const installed = findEngine("webkit");
  if (installed?.driver === undefined) throw new Error("WebKitWebDriver and MiniBrowser are not installed");
  const port = await freePort();
  const driver = start(installed.driver, [`--port=${port}`, "--host=127.0.0.1"], { ...display.env, ...QUIET });
  try {
    const base = `http://127.0.0.1:${port}`;
    await eventually("WebKitWebDriver", () => call(base, "GET", "/status"));
    const options = { binary: installed.executable, args: ["--automation"] };
    const capabilities = { alwaysMatch: { browserName: "MiniBrowser", "webkitgtk:browserOptions": options } };
    const { sessionId } = (await call(base, "POST", "/session", { capabilities })) as { sessionId: string };
    const session = sessionOf(driver, `${base}/session/${sessionId}`);
    await session.command("POST", "/timeouts", { script: 120_000, pageLoad: 60_000 });
    return session;
  } catch (error) {
    await driver.kill();
    throw new Error(`WebKit did not start: ${driver.stderr()}`, { cause: error });
  }
}

const QUIET = { NO_AT_BRIDGE: "1", LIBGL_ALWAYS_SOFTWARE: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1" };

function sessionOf(driver: Kid, base: string): WebKitSession {
  return {
    command: (method, path, body) => call(base, method, path, body),
    pid: driver.process.pid,
    isAlive: () => driver.process.exitCode === null && driver.process.signalCode === null,
    close: async () => {
      await call(base, "DELETE", "", undefined, 5_000).catch(() => undefined); // a dead browser closes no window
      await driver.kill();
    },
    kill: () => driver.kill(),
  };
}

async function call(base: string, method: string, path: string, body?: object, timeout = 130_000): Promise<unknown> {
  const init: RequestInit = { method, signal: AbortSignal.timeout(timeout) };
  if (method === "POST") {
    init.body = JSON.stringify(body ?? {});
    init.headers = { "content-type": "application/json" };
  }
  const response = await fetch(base + path, init);
  const { value } = (await response.json()) as { value: unknown };
  if (response.ok) return value;
  const { error, message } = value as { error: string; message: string };
  throw new Error(`WebDriver ${method} ${path}: ${error}: ${message}`);
}
