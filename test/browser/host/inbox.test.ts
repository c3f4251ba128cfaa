/** The inbox: what people see of a decision, and how they make it, by keyboard too. */
import { expect } from "chai";
import { ApprovalInbox, defineApprovalInbox } from "../../../src/client/inbox/element.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { connectHere, deleteJournal, newName } from "../../fixtures/host/page.ts";

const flow: WorkflowInput = {
  id: "flow",
  nodes: [
    {
      id: "ask",
      type: "approval",
      message: "Send {{ input.to }}?",
      payload: "input",
      approvers: [{ role: "editor" }, { id: "bob" }],
      need: "all",
      needReason: "rejection",
      edit: { type: "object", properties: { n: { type: "number" } } },
      onReject: "continue",
      timeout: 7_200_000,
    },
  ],
  output: "nodes.ask.output",
};

describe("the inbox", () => {
  let name = "";
  let runtime: Runtime;
  let inbox: ApprovalInbox;

  beforeEach(async () => {
    name = newName("inbox");
    runtime = await connectHere({ name });
    defineApprovalInbox();
    inbox = new ApprovalInbox();
    document.body.append(inbox);
  });
  afterEach(async () => {
    inbox.remove();
    await runtime.close();
    await deleteJournal(name);
  });

  const shadow = (): ShadowRoot => {
    if (!inbox.shadowRoot) throw new Error("no shadow");
    return inbox.shadowRoot;
  };
  const shown = (): string => shadow().textContent;
  const find = (selector: string): HTMLElement => {
    const found = shadow().querySelector<HTMLElement>(selector);
    if (!found) throw new Error(`no ${selector}`);
    return found;
  };
  const button = (label: string): HTMLButtonElement => {
    const found = [...shadow().querySelectorAll("button")].find(({ textContent }) => textContent === label);
    if (!found) throw new Error(`no ${label}`);
    return found;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  /** An answer that is on its way still makes the controls deaf. */
  const press = async (label: string): Promise<void> => {
    await until(() => button(label).getAttribute("aria-disabled") !== "true");
    button(label).click();
  };
  const start = async (to = "it"): Promise<string> => {
    runtime.registerWorkflow(flow);
    const run = runtime.startWorkflow("flow", { n: 5, to });
    inbox.runtime = runtime;
    await until(() => shown().includes("Send"));
    return run;
  };

  it("says honestly that nothing waits, that nothing is connected, and that the runtime has stopped", async () => {
    expect(shown()).to.include("No runtime is connected.");
    inbox.runtime = runtime;
    expect(shown()).to.include("Nothing waits for a decision.");
    await runtime.close();
    expect(shown()).to.include("The runtime has stopped");
  });

  it("shows message, context and deadline as text, whatever they hold", async () => {
    await start("<img src=x onerror=alert(1)>");
    expect(find("h3").textContent).to.equal("Send <img src=x onerror=alert(1)>?");
    expect(shadow().querySelectorAll("img").length).to.equal(0);
    expect(find("pre").textContent).to.include('"n": 5');
    expect(shown()).to.include("1 decision waits.");
    expect(shown()).to.match(/Its time is over in 1 hour/u);
    expect(shown()).to.include("All of them have to approve: editor, bob.");
  });

  it("takes an edit and a second approval, shows the diff and the votes, and follows who is signed in", async () => {
    const run = await start();
    const notYours = [...shadow().querySelectorAll("p")].find(({ textContent }) => textContent.startsWith("Others"));
    inbox.person = { id: "eve" };
    expect(notYours?.hidden).to.equal(false);
    await press("Approve");
    await until(() => shown().includes("You are not asked."));
    inbox.person = { id: "ann", roles: ["editor"] };
    expect(notYours?.hidden).to.equal(true);
    const editor = find("textarea[spellcheck]") as HTMLTextAreaElement;
    editor.value = "{";
    await press("Approve");
    await until(() => shown().includes("isn't JSON"));
    editor.value = '{"n": 6, "to": "it"}';
    await press("Approve");
    await until(() => shown().includes("ann approves (click)"));
    const cells = [...find("tbody").querySelectorAll("td")].map(({ textContent }) => textContent);
    expect(cells).to.deep.equal(["ann", "n", "5", "6"]);
    expect(find("del").textContent + find("ins").textContent).to.equal("56");
    inbox.person = { id: "bob" };
    await press("Reject");
    await until(() => shown().includes("Give a reason."));
    const [, reason] = shadow().querySelectorAll("textarea");
    if (reason) reason.value = "too much";
    button("Reject").focus();
    await press("Reject");
    const output = (await runtime.result(run)) as Record<string, unknown>;
    expect(output).to.include({ approved: false, by: "bob", reason: "too much" });
    await until(() => shown().includes("Nothing waits for a decision."));
    expect(shadow().activeElement === find("[role=status]"), "the keyboard isn't lost").to.equal(true);
  });

  it("keeps what was written when something else changes", async () => {
    await start();
    const [, reason] = shadow().querySelectorAll("textarea");
    if (!reason) throw new Error("no reason");
    reason.value = "because";
    reason.focus();
    runtime.startWorkflow("flow", { n: 1, to: "other" });
    await until(() => shown().includes("2 decisions wait."));
    expect(reason.value).to.equal("because");
    expect(shadow().activeElement === reason).to.equal(true);
  });

  it("has a name for every control, and headings to go by", async () => {
    await start();
    for (const control of shadow().querySelectorAll("button, textarea")) {
      const label = control.closest("label")?.textContent ?? control.textContent;
      expect(label.trim(), control.outerHTML).to.not.equal("");
    }
    const article = find("article");
    expect(shadow().getElementById(article.getAttribute("aria-labelledby") ?? "")?.tagName).to.equal("H3");
    for (const status of shadow().querySelectorAll("p[role]")) expect(status.getAttribute("role")).to.equal("status");
  });
});
