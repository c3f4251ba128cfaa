/** Three engines behind one small interface, for end-to-end suites: a browser has pages, a page evaluates, both can die. */
import { chromium } from "playwright-core";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { CHROMIUM_ARGS, ENGINES, findEngine, type Engine } from "./engines.ts";
import { eventually, killTree, signalTree, start } from "./processes.ts";
import { openDisplay, startWebKit, type WebKitSession } from "./webkit.ts";

export interface Page {
  goto(url: string): Promise<unknown>;
  /** Runs a function in the page. Arguments and result travel as JSON, so it may name nothing of its surroundings. */
  evaluate<Args extends readonly unknown[], Result>(
    run: (...args: Args) => Result,
    ...args: Args
  ): Promise<Awaited<Result>>;
  reload(): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface Browser {
  readonly engine: Engine;
  /** Its first process; those of its pages are below it. */
  readonly pid: number | undefined;
  newPage(url?: string): Promise<Page>;
  close(): Promise<void>;
  /** SIGKILL for every process of the browser, at once: nothing is flushed, nobody says goodbye. */
  kill(): Promise<void>;
  /** Sends a signal to every process of the browser: SIGSTOP and SIGCONT are a machine that sleeps. */
  signal(name: NodeJS.Signals): void;
}

export interface LaunchOptions {
  /**
   * The folder that keeps storage from one launch to the next, by default a new one that goes with the browser.
   * WebKit cannot keep any under automation: its storage always starts empty.
   */
  readonly profile?: string;
  /** Further arguments of the command line. */
  readonly args?: readonly string[];
  /** Pages are in a private window. WebKit's always are, under automation. */
  readonly private?: boolean;
  /** Bytes that a site may store; WebKit's can't be set. */
  readonly quota?: number;
}

/** The engines that this run is to use: those in BROWSERS, by default all. */
export function engines(): Engine[] {
  const wanted = process.env["BROWSERS"]?.split(",");
  return ENGINES.filter((engine) => wanted?.includes(engine) ?? true);
}

/** Starts a browser. Pages that are open when it closes or dies go with it. */
export function launch(engine: Engine, options: LaunchOptions = {}): Promise<Browser> {
  switch (engine) {
    case "chromium":
      return launchChromium(options);
    case "firefox":
      return launchFirefox(options);
    case "webkit":
      return launchWebKit();
  }
}

const profiles = new Set<string>();
process.once("exit", () => {
  for (const path of profiles) rmSync(path, { recursive: true, force: true });
});

/** A new folder for a profile that outlives its browser; it goes when this process ends. */
export function makeProfile(): string {
  const path = mkdtempSync(join(tmpdir(), "troupe-profile-"));
  profiles.add(path);
  return path;
}

function pathOf(engine: Engine): string {
  const installed = findEngine(engine);
  if (installed === undefined) throw new Error(`${engine} is not installed`);
  return installed.executable;
}

/** The call as text that any engine evaluates to the JSON of its result. */
function expression(run: (...args: never[]) => unknown, args: readonly unknown[]): string {
  return `Promise.resolve((${run.toString()})(...${JSON.stringify(args)})).then((result) => JSON.stringify(result))`;
}

function parse(result: unknown): never {
  return (typeof result === "string" ? JSON.parse(result) : undefined) as never;
}

/** What a page of Playwright and one of Puppeteer have in common. */
interface Driven {
  goto(url: string): Promise<unknown>;
  evaluate(text: string): Promise<unknown>;
  reload(): Promise<unknown>;
  close(): Promise<void>;
}

async function drivenPage(page: Driven, url: string | undefined): Promise<Page> {
  if (url !== undefined) await page.goto(url);
  return {
    goto: (to) => page.goto(to),
    evaluate: async (run, ...args) => parse(await page.evaluate(expression(run, args))),
    reload: () => page.reload(),
    close: () => page.close(),
  };
}

/** Its profile, which is removed afterwards unless it is the caller's. */
function openProfile(given: string | undefined): { path: string; discard: () => void } {
  if (given !== undefined) mkdirSync(given, { recursive: true });
  const path = given ?? makeProfile();
  const discard = (): void => {
    if (given === undefined) rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { path, discard };
}

/** Started without a driver, so that it is what a user runs and can be killed like it; then joined over CDP. */
async function launchChromium({ profile, args = [], private: isPrivate, quota }: LaunchOptions): Promise<Browser> {
  const { path, discard } = openProfile(profile);
  const portFile = join(path, "DevToolsActivePort");
  rmSync(portFile, { force: true });
  const flags = ["--headless", ...CHROMIUM_ARGS, `--user-data-dir=${path}`, "--remote-debugging-port=0"];
  const kid = start(pathOf("chromium"), [...flags, ...args, "about:blank"]);
  const port = await eventually(
    "Chromium",
    () => (existsSync(portFile) ? /^\d+\n/u.exec(readFileSync(portFile, "utf8"))?.[0].trim() : undefined),
    60_000,
  );
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
  const context = isPrivate === true ? await browser.newContext() : browser.contexts()[0];
  if (context === undefined) throw new Error("Chromium came up without a context");
  const kill = async (): Promise<void> => {
    await kid.kill();
    await browser.close().catch(() => undefined); // only the connection is left
    discard();
  };
  return {
    engine: "chromium",
    pid: kid.process.pid,
    newPage: async (url) => {
      const page = await context.newPage();
      const driven = await drivenPage(page, url);
      if (quota !== undefined && url !== undefined) {
        const cdp = await context.newCDPSession(page); // before anything is stored: Chromium believes for 30 s what it heard
        await cdp.send("Storage.overrideQuotaForOrigin", { origin: new URL(url).origin, quotaSize: quota });
      }
      return driven;
    },
    signal: (name) => {
      signalTree(kid.process.pid, name);
    },
    close: async () => {
      const session = await browser.newBrowserCDPSession();
      await session.send("Browser.close").catch(() => undefined); // the answer may get lost in the closing
      await Promise.race([kid.gone, new Promise((resolve) => setTimeout(resolve, 5_000))]);
      await kill();
    },
    kill,
  };
}

async function launchFirefox({ profile, args = [], private: isPrivate, quota }: LaunchOptions): Promise<Browser> {
  const { path, discard } = openProfile(profile);
  rmSync(join(path, "user.js"), { force: true }); // of an earlier start, which the driver would put back when that one dies
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: pathOf("firefox"),
    headless: true,
    userDataDir: path,
    args: [...args],
    extraPrefsFirefox: {
      ...(isPrivate === true && { "browser.privatebrowsing.autostart": true }),
      // In KiB; a site gets a fifth. -1: no limit. A profile keeps what an earlier start has set.
      "dom.quotaManager.temporaryStorage.fixedLimit": quota === undefined ? -1 : Math.ceil((5 * quota) / 1_024),
    },
    timeout: 60_000,
  });
  const pid = browser.process()?.pid;
  return {
    engine: "firefox",
    pid,
    newPage: async (url) => drivenPage(await browser.newPage(), url),
    close: async () => {
      await browser.close();
      discard();
    },
    kill: async () => {
      killTree(pid);
      await browser.disconnect().catch(() => undefined); // there is nobody to disconnect from
      discard();
    },
    signal: (name) => {
      signalTree(pid, name);
    },
  };
}

async function launchWebKit(): Promise<Browser> {
  const display = await openDisplay();
  const session = await startWebKit(display);
  const [first] = (await session.command("GET", "/window/handles")) as string[];
  const unused = first === undefined ? [] : [first];
  const inTurn = queue();
  const open = async (): Promise<string> => {
    const handle = unused.pop();
    if (handle !== undefined) return handle;
    for (const any of (await session.command("GET", "/window/handles")) as string[])
      try {
        await session.command("POST", "/window", { handle: any }); // the current one may be closed
        return ((await session.command("POST", "/window/new", { type: "tab" })) as { handle: string }).handle;
      } catch {
        // this one's process may be gone
      }
    throw new Error("no window of WebKit opens another");
  };
  return {
    engine: "webkit",
    pid: session.pid,
    newPage: async (url) => {
      const page = webkitPage(session, await inTurn(open), inTurn);
      if (url !== undefined) await page.goto(url);
      return page;
    },
    close: async () => {
      await session.close();
      await display.close();
    },
    kill: async () => {
      await session.kill();
      await display.close();
    },
    signal: (name) => {
      signalTree(session.pid, name);
    },
  };
}

type InTurn = <T>(job: () => Promise<T>) => Promise<T>;

/** WebDriver has one current window, so commands to different pages must not interleave. */
function queue(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const next = last.then(job, job);
    last = next;
    return next;
  };
}

/** The text is the script itself: evaluated inside it, a page's content security policy would refuse it. */
const webkitScript = (text: string): string => `
  const done = arguments[arguments.length - 1];
  Promise.resolve()
    .then(() => ${text})
    .then((value) => done({ value }), (error) => done({ error: String(error) + "\\n" + String(error?.stack) }));
`;

function webkitPage({ command }: WebKitSession, handle: string, inTurn: InTurn): Page {
  const here = <T>(job: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      await command("POST", "/window", { handle });
      return job();
    });
  return {
    goto: (url) => here(() => command("POST", "/url", { url })),
    evaluate: async (run, ...args) => {
      const body = { script: webkitScript(expression(run, args)), args: [] };
      const answer = await here(() => command("POST", "/execute/async", body));
      const { value, error } = answer as { value?: unknown; error?: string };
      if (error !== undefined) throw new Error(error);
      return parse(value);
    },
    reload: () => here(() => command("POST", "/refresh")),
    close: () => here(() => command("DELETE", "/window")),
  };
}
