import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { listFiles } from "../../../scripts/build/offline.js";
import { startServer } from "../../../scripts/start/server.js";
import { eventually } from "../../harness/processes.ts";
import { ROOT } from "../../harness/servers.ts";
import { codeBase, pack } from "./code-bases.ts";
import {
  checksDone,
  finishReview,
  give,
  reaches,
  SCREENSHOTS,
  skip,
  startDemo,
  type Demo,
  type Visit,
} from "./demo.ts";

const isReady = (page: Page): Promise<void> => page.locator(".runtime").getByText("ready, opens without").waitFor();

/** What a page is told beside the bytes of two files, wherever they come from. */
const policies = (page: Page): Promise<(string | null)[]> =>
  page.evaluate(() =>
    Promise.all(["./", "cell.html"].map(async (url) => (await fetch(url)).headers.get("content-security-policy"))),
  );

describe("The demo without its server", { skip }, () => {
  let demo: Demo;
  let visit: Visit;
  let page: Page;
  const folder = mkdtempSync(join(tmpdir(), "troupe-demo-"));
  before(async () => {
    demo = await startDemo();
    visit = await demo.visit();
    page = await visit.open();
  });
  after(async () => {
    await demo.close();
    rmSync(folder, { recursive: true });
  });

  it("goes on with an audit after a reload, and takes the next one", async () => {
    await isReady(page);
    const online = await policies(page);
    await give(page, "cut-off.tgz", await pack(codeBase({ files: 240, lines: 150, faults: 1 })));
    await eventually("some checks", async () => ((await checksDone(page)) > 40 ? true : undefined), 60_000);
    await demo.killServer();
    await page.reload();
    await page.getByText(/Resumed .* already done and are kept/u).waitFor();
    await isReady(page);
    await reaches(page, "waiting");
    await finishReview(page);
    await page.getByRole("link", { name: "New audit" }).click();
    await page.getByRole("button", { name: "Audit the sample" }).click();
    await reaches(page, "waiting");
    await finishReview(page);
    await page.frameLocator(".report-frame").getByRole("heading", { level: 1 }).waitFor();
    await page.screenshot({ path: join(SCREENSHOTS, "offline.png"), fullPage: true });
    assert.deepEqual(await policies(page), online);
    assert.match(online[1] ?? "", /sandbox allow-scripts/u);
    assert.deepEqual(visit.complaints, []);
  });

  it("takes the next version at the first visit that finds the server, and keeps the old one for pages that run", async () => {
    cpSync(join(ROOT, "demo/dist"), folder, { recursive: true });
    appendFileSync(join(folder, "base.css"), "\nbody { --edition: second }\n");
    listFiles(folder);
    const edition = (of: Page, url = "base.css"): Promise<boolean> =>
      of.evaluate(async (sheet) => (await (await fetch(sheet)).text()).includes("second"), url);
    const styled = (of: Page): Promise<string> =>
      of.evaluate(() => getComputedStyle(document.body).getPropertyValue("--edition"));
    const server = await startServer({ port: Number(new URL(demo.origin).port), folder });
    assert.equal(server.origin, demo.origin);

    const next = await visit.open();
    assert.equal(await styled(next), "second");
    await isReady(next);
    assert.equal(await edition(page), false, "the page that runs changes under its own feet");
    await page.reload();
    assert.equal(await styled(page), "second");
    await isReady(page);
    assert.equal(await page.evaluate(async () => (await caches.keys()).length), 1, "copies");
    await server.close();
    await page.reload();
    assert.equal(await styled(page), "second");
    assert.deepEqual(visit.complaints, []);
  });

  it("says so where no service worker is had, and works as it did", async () => {
    const other = await startServer();
    const refused = await demo.browser.newContext();
    await refused.addInitScript(() => {
      navigator.serviceWorker.register = () => Promise.reject(new DOMException("not here", "SecurityError"));
    });
    const plain = await refused.newPage();
    const errors: string[] = [];
    plain.on("console", (message) => errors.push(message.text()));
    await plain.goto(`${other.origin}/`);
    await plain.locator(".runtime").getByText("needs its server").waitFor();
    await plain.getByRole("button", { name: "Audit the sample" }).click();
    await reaches(plain, "waiting");
    assert.deepEqual(errors, []);
    await other.close();
  });
});
