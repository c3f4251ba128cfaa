/** The launcher through which @web/test-runner drives WebKitGTK: a fresh MiniBrowser for each test file. */
import type { BrowserLauncher, SessionResult } from "@web/test-runner-core";
import { openDisplay, startWebKit, type Display, type WebKitSession } from "./webkit.ts";

/** WebDriver's code points of keys that have no character. */
const KEYS: Readonly<Record<string, string>> = {
  Tab: "\uE004",
  Enter: "\uE007",
  Escape: "\uE00C",
  Backspace: "\uE003",
  Delete: "\uE017",
  Space: " ",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
  Home: "\uE011",
  End: "\uE010",
  PageUp: "\uE00E",
  PageDown: "\uE00F",
  Shift: "\uE008",
  Control: "\uE009",
  Alt: "\uE00A",
  Meta: "\uE03D",
};

export interface WebKitLauncher extends BrowserLauncher {
  /** Real key strokes; @web/test-runner-commands finds this by the type "webdriver". */
  sendKeys(id: string, keys: readonly string[]): Promise<unknown>;
}

export function webkitLauncher({ concurrency = 1 }: { concurrency?: number } = {}): WebKitLauncher {
  const sessions = new Map<string, WebKitSession>();
  let display: Promise<Display> | undefined;

  const sessionOf = (id: string): WebKitSession => {
    const session = sessions.get(id);
    if (session === undefined) throw new Error(`WebKit has no session ${id}`);
    return session;
  };
  const stopSession = async (id: string): Promise<SessionResult> => {
    const session = sessions.get(id);
    sessions.delete(id);
    await session?.close();
    return {};
  };

  return {
    name: "WebKit",
    type: "webdriver",
    concurrency,
    async startSession(id, url) {
      display ??= openDisplay();
      const session = await startWebKit(await display);
      sessions.set(id, session);
      await session.command("POST", "/url", { url });
    },
    startDebugSession: () => Promise.reject(new Error("WebKitGTK has no debug session")),
    isActive: (id) => sessions.has(id),
    getBrowserUrl: async (id) => String(await sessionOf(id).command("GET", "/url")),
    stopSession,
    async stop() {
      await Promise.all([...sessions.keys()].map(stopSession));
      await (await display)?.close();
      display = undefined;
    },
    sendKeys: (id, keys) => {
      const actions = keys.flatMap((key) => ["keyDown", "keyUp"].map((type) => ({ type, value: KEYS[key] ?? key })));
      return sessionOf(id).command("POST", "/actions", { actions: [{ type: "key", id: "keyboard", actions }] });
    },
  };
}
