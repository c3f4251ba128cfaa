import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Locator, Page } from "playwright-core";
import { seriousProblems } from "./axe.ts";
import { codeBase, pack } from "./code-bases.ts";
import { finishReview, give, reaches, skip, startDemo, type Demo, type Visit } from "./demo.ts";

/** Signs somebody in, by the menu at the top. */
async function be(page: Page, name: string): Promise<void> {
  await page.locator(".person").click();
  await page.locator("#people .choice", { hasText: name }).click();
  await page.locator(".person", { hasText: name }).waitFor();
}

/** Pixels by which the page is wider than its window. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth));

const button = (page: Page, name: string | RegExp): Locator => page.locator(".inbox").getByRole("button", { name });

/** An audit that is reviewed by Ada, with its report on show. */
async function audited(page: Page, name: string): Promise<void> {
  await give(page, name, await pack(codeBase({ files: 3, lines: 8, faults: 1 })));
  await reaches(page, "waiting");
  await finishReview(page);
  await page.locator(".asking").waitFor();
}

async function askForSignOff(page: Page): Promise<void> {
  await page.locator(".asking").getByRole("button", { name: "Ask for sign-off" }).click();
  await page.locator("#sign-off").getByText("Nobody has answered yet").waitFor();
}

describe("The demo's inbox", { skip }, () => {
  let demo: Demo;
  let visit: Visit;
  let page: Page;
  /** Where the report stands. */
  let report = "";
  before(async () => {
    demo = await startDemo();
    visit = await demo.visit();
    page = await visit.open();
    await audited(page, "shop.tgz");
    report = new URL(page.url()).hash;
  });
  after(() => demo.close());

  it("lets two people in two tabs sign a report off: an edit takes back a vote, and each sees the other at once", async () => {
    await page.getByRole("group", { name: "Risk" }).getByLabel("high").check();
    await askForSignOff(page);
    await page.getByRole("link", { name: "Open the inbox" }).click();
    await page.getByText("You have started this run, so somebody else has to decide.").waitFor();
    const [ann, bob] = [page, await visit.open("#inbox")];
    await be(ann, "Ann");
    await be(bob, "Bob");
    await ann.locator(".person", { hasText: "Ann" }).waitFor(); // the other tab's person isn't this one's
    await ann.getByRole("link", { name: "Inbox, 1 decision waits for you" }).waitFor();
    await ann
      .locator(".inbox")
      .getByText(/Its time is over in \d+ minutes .+, then it goes to lead\./u)
      .waitFor();

    await button(bob, "Approve").click();
    await ann.locator(".inbox .seats", { hasText: "✓ Bob approves" }).waitFor();
    await bob.locator(".inbox .tags", { hasText: "You have approved" }).waitFor();
    await bob.locator(".badge").waitFor({ state: "detached" });

    await ann.locator(".inbox").getByText("Change it before you approve").click();
    await ann.locator(".inbox").getByLabel("Risk").selectOption("low");
    await ann.locator(".inbox").getByLabel("Release note").fill("shop.tgz: safe to ship.");
    await ann.locator(".inbox").getByLabel("Reason").fill("It is never served.");
    await ann.locator(".inbox [aria-label='Your changes'] del", { hasText: "high" }).waitFor();
    await button(ann, "Approve with 2 changes").click();
    const changed = bob.locator(".inbox [aria-label='What was edited']");
    await changed.getByText(/Ann changed it/u).waitFor();
    assert.deepEqual(await changed.locator("del, ins").allInnerTexts(), [
      "high",
      "low",
      "3 files audited, 0 findings accepted.",
      "safe to ship.",
    ]);
    await bob.locator(".inbox .tags", { hasText: "Waits for you" }).waitFor();
    assert.deepEqual(await bob.locator(".inbox .seats li").allInnerTexts(), [
      "Maintainer\n✓ Ann approves\nIt is never served.",
      "Security\nis asked",
    ]);
    await bob.reload(); // it waits still, and this tab is still Bob's
    await button(bob, "Approve").click();
    await bob.locator(".inbox").getByText("You have approved: Release shop.tgz?").waitFor();
    await ann.locator(".inbox").getByText("Nothing waits for a decision.").waitFor();
    await bob.close();
  });

  it("shows the outcome with the report, from the archive too", async () => {
    await page.goto(`${demo.origin}/${report}`);
    await page.reload();
    const signed = page.locator(".signed");
    await signed.getByRole("heading", { name: "Signed off by Ann and Bob" }).waitFor();
    const text = await signed.innerText();
    assert.match(text, /asked by Ada/u);
    assert.match(text, /Ann\s+approved\s+It is never served\./u);
    assert.match(text, /low\s+changed by an approver, before: high/u);
    assert.match(text, /shop\.tgz: safe to ship\./u);
    assert.equal(await page.locator(".asking").count(), 0, "what is signed off isn't asked again");
    assert.equal(await page.locator(".history li").count(), 1, "a sign-off is no audit of its own");
  });

  it("is done by keyboard: a rejection needs its reason, and whoever isn't asked can't answer", async () => {
    await be(page, "Nobody");
    await page.getByRole("link", { name: "New audit" }).click();
    await audited(page, "till.tgz");
    await askForSignOff(page);
    report = new URL(page.url()).hash;
    await page.getByRole("link", { name: "Open the inbox" }).click();

    await be(page, "Cleo");
    await page.locator(".inbox").getByText("Others are asked, not you.").waitFor();
    assert.equal(await button(page, "Approve").count(), 0);
    await button(page, "Answer in somebody’s place").click();
    await button(page, "Approve").click();
    await page.locator(".inbox").getByText("You are not asked.").waitFor();
    assert.deepEqual([await seriousProblems(page), await page.locator(".notice-fault").count()], [[], 0]);

    await page.locator(".person").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space"); // Bob is the second one
    await page.locator(".person", { hasText: "Bob" }).waitFor();
    const active = (): Promise<string> =>
      page.evaluate(() => document.querySelector(".inbox")?.shadowRoot?.activeElement?.textContent ?? "");
    for (let presses = 0; (await active()) !== "Reject" && presses < 30; presses++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".inbox").getByText("Give a reason.").waitFor();
    await page.keyboard.type("No tests"); // the field has the focus
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".inbox").getByText("You have rejected: Release till.tgz?").waitFor();
    assert.match(await active(), /Nothing waits/u, "the keyboard goes on from the count");

    await page.goto(`${demo.origin}/${report}`);
    await page.getByRole("heading", { name: "Rejected by Bob" }).waitFor();
    await page.locator(".said", { hasText: "Bob rejected" }).getByText("No tests").waitFor();
    await page.locator(".asking").getByText("Ask again when it is better.").waitFor();
    assert.deepEqual(visit.complaints, []);
  });

  for (const colorScheme of ["light", "dark"] as const)
    it(`has nothing that keeps people out, ${colorScheme}, and fits 390 pixels`, async () => {
      const other = await demo.visit({ colorScheme, viewport: { width: 390, height: 844 } });
      const narrow = await other.open("#inbox");
      const look = async (name: string): Promise<void> => {
        assert.deepEqual(await seriousProblems(narrow), [], name);
        assert.equal(await overflow(narrow), 0, `${name} scrolls sideways`);
      };
      await narrow.locator(".inbox").getByText("Nothing waits for a decision.").waitFor();
      await look("empty");
      await narrow.locator(".person").click();
      await look("the choice of people");
      await narrow.keyboard.press("Escape");
      await narrow.getByRole("link", { name: "New audit" }).click();
      await give(
        narrow,
        "a-name-that-is-rather-long-for-a-package-2.4.1.tgz",
        await pack(codeBase({ files: 2, faults: 1 })),
      );
      await reaches(narrow, "waiting");
      await narrow.getByRole("link", { name: "Inbox, 1 decision waits for you" }).click();
      await look("a review that waits");
      await narrow.getByRole("link", { name: /Decide on its findings/u }).click();
      await finishReview(narrow);
      await look("a report without sign-off");
      await askForSignOff(narrow);
      await narrow.getByRole("link", { name: "Open the inbox" }).click();
      await be(narrow, "Ann");
      await narrow.locator(".inbox").getByText("Change it before you approve").click();
      await narrow.locator(".inbox").getByLabel("Risk").selectOption("medium");
      await look("an open request that is edited");
      await button(narrow, "Reject").click();
      await narrow.locator(".inbox").getByText("Give a reason.").waitFor();
      await look("an answer that was refused");
      assert.deepEqual(other.complaints, []);
      await other.close();
    });

  it("decides without the server, with a key", async () => {
    await page.locator(".runtime").getByText("ready, opens without").waitFor();
    await demo.killServer();
    await page.reload();
    await page.locator(".asking").waitFor();
    await be(page, "Ann"); // she asks, so that others have to answer
    await askForSignOff(page);
    await page.getByRole("link", { name: "Open the inbox" }).click();
    await page.locator(".person").click();
    await page.getByLabel("Sign my answers").check();
    await page.keyboard.press("Escape");
    for (const name of ["Dan", "Bob"]) {
      await be(page, name);
      if (name === "Bob") await page.locator(".inbox .seats", { hasText: "Dan approves (signed)" }).waitFor();
      await page
        .getByText(`${name === "Bob" ? "Bob, security" : "Dan, maintainer"}, and your answers are signed`)
        .waitFor();
      await button(page, "Approve").click();
    }
    await page.locator(".inbox").getByText("You have approved: Release till.tgz?").waitFor();
    await page.goto(`${demo.origin}/${report}`);
    await page.getByRole("heading", { name: "Signed off by Dan and Bob" }).waitFor();
    await page.getByRole("heading", { name: "Rejected by Bob" }).waitFor();
    await page.locator(".said", { hasText: "Dan approved, signed" }).waitFor();
    assert.deepEqual(visit.complaints, []);
  });
});
