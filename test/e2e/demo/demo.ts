/** The demo as a visitor gets it: `npm start`'s server in a process of its own, and Chromium. */
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { engines } from "../../harness/browsers.ts";
import { CHROMIUM_ARGS, findEngine } from "../../harness/engines.ts";
import { eventually } from "../../harness/processes.ts";
import { ROOT } from "../../harness/servers.ts";

export interface Demo {
  readonly origin: string;
  readonly browser: Browser;
  /** A fresh browser profile; whatever goes wrong in its pages is noted. */
  visit(options?: BrowserContextOptions): Promise<Visit>;
  /** SIGKILL for the server; the browser stays. */
  killServer(): Promise<void>;
  close(): Promise<void>;
}

export interface Visit {
  readonly context: BrowserContext;
  /** Every address that was asked for. */
  readonly requests: readonly string[];
  /** Errors on the console, uncaught ones, and what the content security policy refused. */
  readonly complaints: readonly string[];
  open(hash?: string): Promise<Page>;
  close(): Promise<void>;
}

export const SCREENSHOTS = join(ROOT, ".cache/screenshots");

/** Why the suites of the demo have nothing to do, if so: they are of Chromium alone. */
export const skip: string | false = engines().includes("chromium") ? false : "this run is without Chromium";

const START = join(ROOT, "scripts/start/main.js");

export async function startDemo(): Promise<Demo> {
  const executable = findEngine("chromium")?.executable;
  if (executable === undefined) throw new Error("Chromium is not installed");
  mkdirSync(SCREENSHOTS, { recursive: true });
  const server = spawn(process.execPath, [START, "--no-open", "--port", "4300"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  server.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const origin = await eventually("npm start", () => /http:\/\/127\.0\.0\.1:\d+/u.exec(said)?.[0], 240_000);
  const browser = await chromium.launch({ executablePath: executable, args: [...CHROMIUM_ARGS] });
  return {
    origin,
    browser,
    visit: async (options = {}) => visitDemo(origin, await browser.newContext({ acceptDownloads: true, ...options })),
    async killServer() {
      server.kill("SIGKILL");
      if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
    },
    async close() {
      await browser.close();
      server.kill();
    },
  };
}

function visitDemo(origin: string, context: BrowserContext): Visit {
  const requests: string[] = [];
  const complaints: string[] = [];
  context.on("request", (request) => requests.push(request.url()));
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  return {
    context,
    requests,
    complaints,
    async open(hash = "") {
      const page = await context.newPage();
      await page.goto(`${origin}/${hash}`);
      await page.locator(".masthead").waitFor();
      return page;
    },
    close: () => context.close(),
  };
}

/** Waits until the run on show is in a state, by its lamp's class. */
export async function reaches(page: Page, status: "running" | "waiting" | "completed" | "failed"): Promise<void> {
  await page.locator(`.run-head.run-${status}`).waitFor({ timeout: 60_000 });
}

/** The number of file checks that are done, as the page says it. */
export async function checksDone(page: Page): Promise<number> {
  const text = await page.locator(".run-facts div", { hasText: "File checks" }).locator("dd").innerText();
  return Number(text.split(" of ")[0]?.replaceAll(",", ""));
}

/** Gives the page an archive, as a person would with the picker. */
export async function give(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const picker = page.locator('input[type="file"]:not([webkitdirectory])');
  await picker.setInputFiles({ name, mimeType: "application/gzip", buffer: Buffer.from(bytes) });
  await page.locator(".run-head").waitFor();
}

/** Ends the review that is open, as whoever is signed in, or else under a name. */
export async function finishReview(page: Page, reviewer = "Ada"): Promise<void> {
  const finish = page.getByRole("button", { name: "Finish and make the report" });
  await finish.waitFor(); // the field beside it is there from then on, if it comes at all
  const field = page.getByLabel("Reviewer");
  if ((await field.count()) > 0) await field.fill(reviewer);
  await finish.click();
  await reaches(page, "completed");
}
