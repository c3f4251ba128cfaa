import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import type { Runtime } from "../../../src/index.ts";
import { eventually } from "../../harness/processes.ts";
import { codeBase, pack } from "./code-bases.ts";
import { checksDone, finishReview, give, reaches, startDemo, skip, type Demo } from "./demo.ts";

declare const troupe: Runtime;

/** Ids of the tasks that are done, and how often each was tried. */
interface Done {
  readonly id: string;
  readonly attempt: number;
  readonly finishedAt: number;
}

/** Asks the archive, by the handle that the page leaves on its console. */
async function doneTasks(page: Page): Promise<Done[]> {
  return page.evaluate(async () => {
    const { rows } = await troupe.archive.list({ kind: "task", limit: 1_000 });
    return rows.map(({ text }) => JSON.parse(text) as { id: string; attempt: number; finishedAt: number });
  });
}

const FILES = 240;

describe("The demo survives", { skip }, () => {
  let demo: Demo;
  let archive: Uint8Array;
  before(async () => {
    demo = await startDemo();
    archive = await pack(codeBase({ files: FILES, lines: 150, faults: 1 }));
  });
  after(() => demo.close());

  it("a reload in the middle: it goes on, and nothing that was done is done again", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    await give(page, "reload.tgz", archive);
    await eventually("some checks", async () => ((await checksDone(page)) > 40 ? true : undefined), 60_000);
    const before = new Map((await doneTasks(page)).map((task) => [task.id, task]));
    await page.reload();
    await page.getByText(/Resumed .* already done and are kept/u).waitFor();
    await reaches(page, "waiting");
    const after = new Map((await doneTasks(page)).map((task) => [task.id, task]));
    for (const [id, task] of before) assert.deepEqual(after.get(id), task);
    assert.equal([...after.keys()].filter((id) => /\/\d+$/u.test(id)).length, 2 * FILES);
    await visit.close();
  });

  it("the first tab's closing: the second shows the same run live, and finishes it", async () => {
    const visit = await demo.visit();
    const first = await visit.open();
    await give(first, "tabs.tgz", archive);
    await eventually("some checks", async () => ((await checksDone(first)) > 10 ? true : undefined), 60_000);
    const second = await visit.open();
    await second.getByRole("heading", { name: "tabs.tgz" }).waitFor();
    await second.getByText("Joined a run in progress").waitFor();
    await eventually("both tabs count", async () => {
      const tabs = await second.locator(".runtime div", { hasText: "Tabs" }).locator("dd").innerText();
      return tabs === "2" ? true : undefined;
    });
    const seen = await checksDone(second);
    await first.close();
    await eventually("more checks", async () => ((await checksDone(second)) > seen + 20 ? true : undefined), 60_000);
    await reaches(second, "waiting");
    await finishReview(second);
    const done = await doneTasks(second);
    assert.equal(new Set(done.map(({ id }) => id)).size, done.length);
    await visit.close();
  });

  it("cleared site data: it says what is lost, and takes the next audit", async () => {
    const visit = await demo.visit();
    const page = await visit.open();
    await give(page, "lost.tgz", archive);
    await eventually("some checks", async () => ((await checksDone(page)) > 5 ? true : undefined), 60_000);
    const debug = await visit.context.newCDPSession(page);
    await debug.send("Storage.clearDataForOrigin", { origin: demo.origin, storageTypes: "indexeddb" });
    await page.getByRole("alert").getByText("This site’s data was cleared.").waitFor();
    await page.getByRole("heading", { name: "No such audit here" }).waitFor();
    await page.getByRole("link", { name: "Start an audit" }).click();
    await give(page, "next.tgz", await pack(codeBase({ files: 3, faults: 1 })));
    await reaches(page, "waiting");
    await visit.close();
  });

  it("a review that is begun in one tab is there in the other, and after a reload", async () => {
    const visit = await demo.visit();
    const first = await visit.open();
    await give(first, "review.tgz", await pack(codeBase({ files: 3, lines: 5, faults: 2 })));
    await reaches(first, "waiting");
    const second = await visit.open();
    await second.locator("#finding-list").waitFor();
    await first.locator("#finding-list").focus();
    await first.keyboard.press("d");
    await second.locator(".tally-no b", { hasText: "1" }).waitFor();
    await second.reload();
    await second.locator(".tally-no b", { hasText: "1" }).waitFor();
    await finishReview(second);
    await reaches(first, "completed");
    await visit.close();
  });
});
