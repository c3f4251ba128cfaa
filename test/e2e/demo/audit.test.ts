import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { codeBase, pack } from "./code-bases.ts";
import { checksDone, finishReview, give, reaches, startDemo, skip, type Demo } from "./demo.ts";

const temporary = mkdtempSync(join(tmpdir(), "troupe-demo-"));

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Drops a file on an element, as the browser tells it to the page. */
function dropOn([selector, name, bytes]: readonly [string, string, readonly number[]]): void {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
  document
    .querySelector(selector)
    ?.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}

describe("The demo, from the sample to the report", { skip }, () => {
  let demo: Demo;
  before(async () => {
    demo = await startDemo();
  });
  after(async () => {
    await demo.close();
    rmSync(temporary, { recursive: true, force: true });
  });

  it("audits the sample by one click, and gives the report in three files", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    await page.getByRole("button", { name: "Audit the sample" }).click();
    await reaches(page, "waiting");
    await finishReview(page);

    const texts = new Map<string, string>();
    for (const name of ["report.html", "report.json", "report.sarif"]) {
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name }).click();
      const got = await download;
      assert.equal(got.suggestedFilename(), name);
      texts.set(name, await readFile(await got.path(), "utf8"));
    }
    const report = JSON.parse(texts.get("report.json") ?? "") as { findings: unknown[]; reviewedBy: string };
    assert.ok(report.findings.length > 10);
    assert.equal(report.reviewedBy, "Ada");
    assert.equal((JSON.parse(texts.get("report.sarif") ?? "") as { version: string }).version, "2.1.0");
    assert.match(texts.get("report.html") ?? "", /^<!doctype html>/u);
    const framed = page.frameLocator(".report-frame");
    await framed.getByRole("heading", { level: 1 }).waitFor();
    const font = await framed.locator("h1").evaluate((heading) => getComputedStyle(heading).fontFamily);
    assert.match(font, /sans-serif/u, "the report's own style is in force");

    await page.getByRole("link", { name: /http-proxy/u }).waitFor(); // in the history
    assert.deepEqual(visit.complaints, []);
    const foreign = visit.requests.filter((url) => !url.startsWith(demo.origin) && !url.startsWith("blob:"));
    assert.deepEqual(foreign, []);
    await visit.close();
  });

  it("takes a folder, without what is no code of the project, and a dropped archive", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    const folder = join(temporary, "my-project");
    for (const [path, text] of codeBase({ files: 9, faults: 1 })) write(join(folder, path), text);
    write(join(folder, "node_modules/left-pad/index.js"), "eval(input)");
    await page.locator("input[webkitdirectory]").setInputFiles(folder);
    await reaches(page, "waiting");
    await page.getByRole("heading", { name: "my-project" }).waitFor();
    assert.equal(await checksDone(page), 18);
    await finishReview(page);
    await page.getByRole("link", { name: "New audit" }).click();
    await page.locator(".drop").waitFor();
    await page.evaluate(dropOn, [".drop", "dropped.tgz", [...(await pack(codeBase({ files: 2 })))]] as const);
    await page.getByRole("heading", { name: "dropped.tgz" }).waitFor();
    await reaches(page, "waiting");
    await visit.close();
  });

  for (const [mode, name] of [
    ["elected", "Elected tab"],
    ["page", "This page"],
  ] as const)
    it(`works where the best there is is "${mode}", and says so`, async () => {
      const visit = await demo.visit();
      const page = await visit.open(`?modes=${mode}`);
      await page.locator(".runtime").getByText(name).waitFor();
      await give(page, "small.tgz", await pack(codeBase({ files: 5, faults: 1 })));
      await reaches(page, "waiting");
      await page.reload();
      await reaches(page, "waiting");
      await finishReview(page);
      assert.deepEqual(visit.complaints, []);
      await visit.close();
    });

  it("refuses what is no archive, and says why", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    const picker = page.locator('input[type="file"]:not([webkitdirectory])');
    await picker.setInputFiles({ name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") });
    await page.getByRole("alert").getByText("neither a folder nor").waitFor();
    await picker.setInputFiles({ name: "broken.zip", mimeType: "application/zip", buffer: Buffer.from("PK nothing") });
    await reaches(page, "failed");
    await page.getByRole("alert").getByText("audit/archive-unreadable", { exact: true }).waitFor();
    await visit.close();
  });

  it("ends a run that is rejected or cancelled, without a report", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    await page.getByRole("button", { name: "Audit the sample" }).click();
    await reaches(page, "waiting");
    await page.getByLabel("Reviewer").fill("Ada");
    await page.getByRole("button", { name: "Reject the audit" }).click();
    await page.getByRole("button", { name: "Reject it" }).click();
    await reaches(page, "failed");
    await page.getByRole("alert").getByText("approval/rejected", { exact: true }).waitFor();

    await page.getByRole("link", { name: "New audit" }).click();
    await page.getByRole("button", { name: "Audit the sample" }).click();
    await page.locator(".run-head").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Stop it" }).click();
    await page.locator(".run-head.run-cancelled").waitFor();
    await visit.close();
  });
});
