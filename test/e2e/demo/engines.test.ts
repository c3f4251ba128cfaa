import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startServer, type StartedServer } from "../../../scripts/start/server.js";
import { engines, launch, type Browser, type Page } from "../../harness/browsers.ts";
import { eventually } from "../../harness/processes.ts";

/** What a page under the demo's policies answers to {@link tryTexts}; `origin` is its own. */
const REFUSED = {
  origin: "own",
  html: "TypeError",
  eval: "refused",
  function: "refused",
  inline: "nothing",
  handler: "nothing",
};

/** Runs in a page: tries to have texts taken for code, and for markup. */
async function tryTexts(): Promise<typeof REFUSED> {
  const tried = (run: () => unknown): string => {
    try {
      run();
      return "done";
    } catch (error) {
      return error instanceof EvalError ? "refused" : (error as Error).name;
    }
  };
  const ran: { inline?: string; handler?: string } = Object.assign(globalThis, {
    inline: "nothing",
    handler: "nothing",
  });
  const add = (make: (element: HTMLElement) => void, name: string): string =>
    tried(() => {
      const element = document.createElement(name);
      make(element);
      document.documentElement.append(element);
      element.remove();
    });
  add((script) => {
    script.append("inline = 'ran'");
  }, "script");
  add((image) => {
    image.setAttribute("onerror", "handler = 'ran'");
    image.setAttribute("src", "data:,");
  }, "img");
  await new Promise((resolve) => setTimeout(resolve, 100)); // that nothing comes can only be waited for
  return {
    origin: origin === "null" ? origin : "own",
    html: tried(() => (document.createElement("p").innerHTML = "<b>bold</b>")),
    eval: tried(() => (0, eval)("1") as unknown),
    function: tried(() => Reflect.construct(Function, ["return 1"])),
    inline: ran.inline ?? "",
    handler: ran.handler ?? "",
  };
}

for (const engine of engines()) {
  describe(`The demo in ${engine}`, () => {
    let server: StartedServer;
    let browser: Browser;
    let page: Page;
    before(async () => {
      server = await startServer();
      browser = await launch(engine);
      page = await browser.newPage(`${server.origin}/`);
    });
    after(async () => {
      await browser.close();
      await server.close();
    });

    const shows = (selector: string, words = ""): Promise<unknown> =>
      eventually(
        `${selector} ${words}`,
        async () => {
          const text = await page.evaluate((of) => document.querySelector(of)?.textContent ?? null, selector);
          return text?.includes(words) ? text : undefined;
        },
        60_000,
      );

    const click = (selector: string, words = ""): Promise<unknown> =>
      eventually(
        `a click on ${selector} ${words}`,
        () =>
          page.evaluate(
            (of, text) => {
              const roots = [document, document.querySelector(".inbox")?.shadowRoot];
              const found = roots.flatMap((root) => [...(root?.querySelectorAll<HTMLElement>(of) ?? [])]);
              const target = found.find((one) => one.checkVisibility() && one.textContent.includes(text));
              target?.click();
              return target ? true : undefined;
            },
            selector,
            words,
          ),
        60_000,
      );
    const be = async (name: string): Promise<void> => {
      await click(".person");
      await click("#people .choice", name);
      await shows(".person", name);
    };

    it("opens, gets ready for offline, and audits the sample when the server is gone", async () => {
      await shows(".runtime", "ready, opens without");
      await server.close();
      await page.reload();
      await shows(".runtime", "ready, opens without");
      await page.evaluate(() => {
        document.querySelector<HTMLElement>(".button-main")?.click();
      });
      await shows(".run-head.run-waiting");
      assert.equal(await page.evaluate(() => document.querySelectorAll("[role=alert]").length), 0);
    });

    it("has the report signed off by two people, in the inbox", async () => {
      await be("Ann");
      await click(".finish .button-main");
      await click(".asking .button-main");
      await be("Dan");
      await click(".sign-off a[href='#inbox']");
      await click("[part~=approve]", "Approve");
      await eventually("a vote", () =>
        page.evaluate(
          () => document.querySelector(".inbox")?.shadowRoot?.textContent.includes("Dan approves") || undefined,
        ),
      );
      await be("Bob");
      await click("[part~=approve]", "Approve");
      await eventually("the end of it", () =>
        page.evaluate(
          () =>
            document.querySelector(".inbox")?.shadowRoot?.textContent.includes("Nothing waits for a decision.") ||
            undefined,
        ),
      );
      await page.evaluate(() => {
        history.back();
      });
      await shows(".signed h3", "Signed off by Dan and Bob");
      assert.equal(await page.evaluate(() => document.querySelectorAll("[role=alert]").length), 0);
    });

    it("makes no code of texts, on any page that it serves, its errors among them", async () => {
      const another = await startServer();
      for (const path of ["/", "/index.html", "/cell.html", "/no-such-page.html", "/main.js", "/%E0%A4%A"]) {
        const there = await browser.newPage(another.origin + path);
        const found = await eventually(`a document at ${path}`, () => there.evaluate(tryTexts).catch(() => undefined));
        const isCell = path === "/cell.html"; // it holds nothing to be taken, and runs what it is given, without an origin
        assert.deepEqual({ path, ...found }, { path, ...REFUSED, ...(isCell && { origin: "null", html: "done" }) });
      }
      const workers = ["shared-worker.js", "elected-worker.js", "offline.js", "agents/unpack.js"]; // a worker's policy is its script's
      for (const path of workers) {
        const { headers, ok } = await fetch(`${another.origin}/${path}`);
        assert.ok(ok, path);
        assert.match(
          headers.get("content-security-policy") ?? "",
          /^default-src 'none';.*require-trusted-types-for 'script'/u,
        );
      }
      await another.close();
    });
  });
}
