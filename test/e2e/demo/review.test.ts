import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import type { Runtime } from "../../../src/index.ts";
import { codeBase, pack } from "./code-bases.ts";
import { finishReview, give, reaches, startDemo, skip, type Demo } from "./demo.ts";

declare const troupe: Runtime;

/** The numbers of the tally, once the page is drawn: undecided, accepted, dismissed. */
async function tally(page: Page): Promise<number[]> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const texts = await page.locator(".tally b").allInnerTexts();
  return texts.map((text) => Number(text.replaceAll(",", "")));
}

describe("Reviewing findings", { skip }, () => {
  let demo: Demo;
  before(async () => {
    demo = await startDemo();
  });
  after(() => demo.close());

  it("is done by keyboard alone: accept, dismiss with a reason, a range, a group, undo, filter", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    await give(page, "keys.tgz", await pack(codeBase({ files: 8, lines: 5, faults: 3 })));
    await reaches(page, "waiting");
    const [all = 0] = await tally(page);
    assert.ok(all >= 24);
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.locator("#finding-list").focus();
    await press("a", "d");
    assert.deepEqual(await tally(page), [all - 2, 1, 1]);
    await press("Shift+ArrowDown", "Shift+J", "d");
    assert.deepEqual(await tally(page), [all - 5, 1, 4]);
    await press("u", "Escape");
    assert.deepEqual(await tally(page), [all - 2, 1, 1]);
    await press("r");
    await page.keyboard.type("generated");
    await page.locator("#finding-list").focus();
    await press("End", "d");
    assert.deepEqual(await tally(page), [all - 3, 1, 2]);
    await page.getByText("Dismissed: generated").waitFor();
    await press("/");
    await page.keyboard.type("file-3.js");
    await page.locator("#finding-list").focus();
    await press("Control+a", "a");
    const [, accepted = 0] = await tally(page);
    assert.ok(accepted >= 3);
    await finishReview(page);
    await page.locator(".chart", { hasText: "dismissed" }).waitFor();
    await visit.close();
  });

  it("stays quick with 5,000 findings", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    await page.evaluate(askAbout, 5_000);
    await reaches(page, "waiting");
    assert.deepEqual(await tally(page), [5_000, 0, 0]);
    assert.ok((await page.locator("#finding-list .row").count()) < 80);
    await page.locator("#finding-list").focus();
    await page.getByLabel("Group by").selectOption("file");
    await page.locator("#finding-list").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowDown");
    for (let key = 0; key < 10; key++) await page.keyboard.press("d");
    assert.deepEqual(await tally(page), [4_990, 0, 10], "one finding for each key, never a group");
    const slowest = await page.evaluate(slowestKey);
    assert.ok(slowest < 1_500, `${slowest} ms for a key`);
    await page.keyboard.press("Control+a");
    await page.keyboard.press("a");
    assert.deepEqual(await tally(page), [0, 5_000, 0]);
    await visit.close();
  });
});

/** Opens a review of so many findings, by the handle that the page leaves on its console. */
function askAbout(number: number): void {
  const severities = ["critical", "high", "medium", "low", "info"];
  const finding = (at: number): object => ({
    id: at.toString(16).padStart(20, "0"),
    rule: `static/rule-${at % 30}`,
    tool: "static",
    severity: severities[at % 5],
    confidence: "high",
    title: `Rule ${at % 30} is broken`,
    message: "Something that should not be there.",
    path: `src/part-${at % 11}/file-${at % 700}.js`,
    line: at + 1,
  });
  const none = Object.fromEntries(severities.map((severity) => [severity, 0]));
  const byTool = { unpack: 0, secrets: 0, static: number, dependencies: 0, merge: 0 };
  const summary = {
    files: 700,
    notAnalysed: 0,
    total: number,
    omitted: 0,
    bySeverity: none,
    byTool,
    byRule: [],
    skipped: [],
  };
  const review = { id: "review", type: "approval", message: "Decide", payload: "input" } as const;
  troupe.registerWorkflow({ id: "many", nodes: [review] });
  troupe.startWorkflow("many", {
    name: "many",
    findings: Array.from({ length: number }, (_, at) => finding(at)),
    summary,
  });
}

/** The longest time from a key to the frame after the one that shows it, in milliseconds. */
async function slowestKey(): Promise<number> {
  const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
  const list = document.getElementById("finding-list");
  let worst = 0;
  for (let step = 0; step < 30; step++) {
    const began = performance.now();
    list?.dispatchEvent(new KeyboardEvent("keydown", { key: step % 3 === 0 ? "d" : "PageDown", bubbles: true }));
    await frame();
    await frame();
    worst = Math.max(worst, performance.now() - began);
  }
  return worst;
}
