/** The launcher through which @web/test-runner drives Firefox by WebDriver BiDi: fresh storage for each test file. */
import type { BrowserLauncher, SessionResult } from "@web/test-runner-core";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer, { type Browser, type BrowserContext, type Page } from "puppeteer-core";
import { killTree } from "./processes.ts";

export interface FirefoxLauncher extends BrowserLauncher {
  /** @web/test-runner-commands finds this by the type "puppeteer". */
  getPage(id: string): Page;
}

interface Session {
  readonly context: BrowserContext;
  readonly page: Page;
}

const PATIENCE = 10_000;

export function firefoxLauncher({ executablePath }: { executablePath: string }): FirefoxLauncher {
  const sessions = new Map<string, Session>();
  let browser: Promise<Browser> | undefined;

  const stopBrowser = async (): Promise<void> => {
    const stopping = await browser?.catch(() => undefined); // one that never came up needs no stopping
    browser = undefined;
    if (stopping === undefined) return;
    const pid = stopping.process()?.pid;
    await Promise.race([stopping.close(), sleep(PATIENCE)]).catch(() => undefined);
    killTree(pid);
  };
  const runningBrowser = async (): Promise<Browser> => {
    browser ??= puppeteer.launch({ browser: "firefox", executablePath, headless: true, timeout: 60_000 });
    const running = await browser.catch(() => undefined);
    if (running?.connected === true) return running;
    await stopBrowser();
    throw new Error("Firefox did not start, or is disconnected");
  };
  /** A page in an endless loop does not close, and takes its browser with it; the next session gets a new one. */
  const stopSession = async (id: string): Promise<SessionResult> => {
    const session = sessions.get(id);
    sessions.delete(id);
    if (session === undefined) return {};
    const closed = session.context.close().then(
      () => "closed",
      () => "closed",
    );
    if ((await Promise.race([closed, sleep(PATIENCE, "stuck")])) === "stuck") await stopBrowser();
    return {};
  };
  const getPage = (id: string): Page => {
    const session = sessions.get(id);
    if (session === undefined) throw new Error(`Firefox has no session ${id}`);
    return session.page;
  };

  return {
    name: "Firefox",
    type: "puppeteer",
    concurrency: 1,
    async startSession(id, url) {
      const context = await (await runningBrowser()).createBrowserContext();
      const page = await context.newPage();
      sessions.set(id, { context, page });
      await page.goto(url);
    },
    startDebugSession: () => Promise.reject(new Error("Use Chromium to debug")),
    isActive: (id) => sessions.has(id),
    getBrowserUrl: (id) => getPage(id).url(),
    stopSession,
    stop: stopBrowser,
    getPage,
  };
}
