/** The inbox: what people see of a decision, and how they make it, by keyboard too. */
import { expect } from "chai";
import { ApprovalInbox, defineApprovalInbox } from "../../../src/client/inbox/element.ts";
import { createSigner } from "../../../src/client/signer.ts";
import { createItem } from "../../../src/client/inbox/item.ts";
import { waitsFor } from "../../../src/client/inbox/standing.ts";
import type { ApprovalView, Runtime } from "../../../src/client/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { AGENT, connectHere, deleteJournal, newName } from "../../fixtures/host/page.ts";

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
      edit: { type: "object", properties: { n: { type: "integer", minimum: 1, title: "How many" } } },
      onReject: "continue",
      timeout: 7_200_000,
      escalation: [{ approvers: ["boss"] }],
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
  const isSeen = (selector: string): boolean =>
    [...shadow().querySelectorAll<HTMLElement>(selector)].some((one) => one.checkVisibility());
  const button = (label: string): HTMLButtonElement => {
    const found = [...shadow().querySelectorAll("button")].find(({ textContent }) => textContent === label);
    if (!found) throw new Error(`no ${label}`);
    return found;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const asked = (message: string): ApprovalView => {
    const found = [...runtime.approvals.values()].find((view) => view.message === message);
    if (!found) throw new Error(`no ${message}`);
    return found;
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
    const rows = [...find("dl").children].map(({ textContent }) => textContent);
    expect(rows).to.deep.equal(["How many5", "to<img src=x onerror=alert(1)>"]);
    expect(find("pre").textContent).to.include('"n": 5');
    expect(shown()).to.match(/Its time is over in 119 minutes \(.+\), then it goes to boss\./u);
    expect(find("time").getAttribute("datetime")).to.match(/^20.+Z$/u);
    expect(shown()).to.include("All of them have to approve: editor, bob.");
  });

  it("tells who is there what waits for them, and why not, and lists what waits for them first", async () => {
    await start("one");
    runtime.registerWorkflow({
      id: "all",
      nodes: [{ id: "any", type: "approval", message: "Anybody?", timeout: 1e6 }],
    });
    runtime.startWorkflow("all");
    await until(() => shown().includes("2 decisions wait. Nobody is signed in here, so nobody can answer."));
    expect(isSeen("footer button")).to.equal(false);
    expect(shown()).to.include("Sign in to answer.");
    const order = (): (string | null)[] => [...shadow().querySelectorAll("h3")].map(({ textContent }) => textContent);
    inbox.person = { id: "eve" };
    expect(shown()).to.include("1 decision waits for you, 1 for others.");
    expect(order()).to.deep.equal(["Anybody?", "Send one?"]);
    expect(shown()).to.include("Others are asked, not you.");
    inbox.person = { id: "bob" };
    expect(shown()).to.include("2 decisions wait for you.");
    inbox.select = ({ message }) => message.startsWith("Send");
    expect(order()).to.deep.equal(["Send one?"]);
    expect(shown()).to.include("1 decision waits for you.");
    const view = asked("Send one?");
    expect([waitsFor(view, {}), waitsFor(view, { id: "bob" }), waitsFor(view, { id: "eve" })]).to.deep.equal([
      false,
      true,
      false,
    ]);
    expect(waitsFor({ ...view, requestedBy: "bob" }, { id: "bob" })).to.equal(false);
  });

  it("lets somebody answer who isn't asked, for another; whether that counts is the host's to say", async () => {
    await start();
    inbox.person = { id: "eve" };
    expect(isSeen("[part~=approve]")).to.equal(false);
    button("Answer in somebody’s place").click();
    button("Approve").click();
    await until(() => shown().includes("You are not asked."));
    await runtime.identify({ id: "bob" });
    await runtime.delegate({ to: "eve", for: 60_000 });
    inbox.person = { id: "eve" };
    button("Approve").click();
    await until(() => shown().includes("eve, for bob, approves"));
  });

  it("sends an answer as of who has given it, whoever comes next", async () => {
    await start();
    inbox.person = { id: "bob" };
    button("Approve").click();
    inbox.person = { id: "eve" };
    await until(() => /bob approves|You are not asked/u.test(shown())); // the host hears of eve before or after
    expect(shown()).to.not.include("eve approves");
    runtime.startWorkflow("flow", { n: 2, to: "two" });
    await until(() => shown().includes("Send two?"));
    const signer = await createSigner({ id: "bob", database: name });
    await runtime.identify({ id: "bob" });
    await runtime.registerApprover(signer);
    inbox.person = { id: "bob" };
    inbox.signer = new Promise((resolve) => setTimeout(resolve, 20, signer));
    inbox.select = ({ message }) => message === "Send two?";
    button("Approve").click();
    await until(() => shown().includes("bob approves (signed)"));
    indexedDB.deleteDatabase(name);
  });

  it("takes an edit by fields and a second approval, shows the diff and the votes, and follows who is signed in", async () => {
    const run = await start();
    inbox.person = { id: "ann", roles: ["editor"] };
    const [editor] = shadow().querySelectorAll<HTMLInputElement>("input[type=number]");
    if (!editor) throw new Error("no field");
    expect([editor.value, editor.min, editor.step]).to.deep.equal(["5", "1", "1"]);
    editor.value = "0";
    editor.dispatchEvent(new InputEvent("input", { bubbles: true }));
    expect(find("[aria-label='Your changes']").textContent).to.include("Before: 5");
    button("Approve with 1 change").click();
    await until(() => shown().includes("payload.n has to be at least 1."));
    editor.value = "6";
    button("Approve with 1 change").focus();
    button("Approve with 1 change").click();
    await until(() => shown().includes("ann approves"));
    const edit = find("[aria-label='What was edited']").textContent;
    expect(edit).to.match(/ann changed it.*How many− Before: 5\+ Now: 6A change takes back/u);
    expect(find("del").textContent + find("ins").textContent).to.equal("56");
    await until(() => find(".tags").textContent === "You have approved");
    expect(shown()).to.include("Nothing waits for you. 1 decision waits for others.");
    expect(shadow().activeElement === find("h3"), "the keyboard isn't lost").to.equal(true);
    const seats = [...shadow().querySelectorAll(".seats li")].map(({ textContent }) => textContent);
    expect(seats).to.deep.equal(["editor✓ ann approves", "bobis asked"]);
    inbox.person = { id: "bob" };
    expect(find("dd").textContent).to.equal("6");
    button("Reject").click();
    await until(() => shown().includes("Give a reason."));
    const reason = find("textarea") as HTMLTextAreaElement;
    expect(shadow().activeElement === reason).to.equal(true);
    reason.value = "too much";
    button("Reject").focus();
    button("Reject").click();
    const output = (await runtime.result(run)) as Record<string, unknown>;
    expect(output).to.include({ approved: false, by: "bob", reason: "too much" });
    await until(() => shown().includes("Nothing waits for a decision."));
    await until(() => shown().includes("You have rejected: Send it?"));
    expect(shadow().activeElement === find("[role=status]"), "the keyboard isn't lost").to.equal(true);
  });

  it("keeps what was written when something else changes, and shows it to nobody else", async () => {
    await start();
    inbox.person = { id: "bob" };
    const reason = find("textarea") as HTMLTextAreaElement;
    const [field] = shadow().querySelectorAll("input");
    if (!field) throw new Error("no field");
    reason.value = "because";
    field.value = "8";
    reason.focus();
    runtime.startWorkflow("flow", { n: 1, to: "other" });
    await until(() => shown().includes("2 decisions wait for you."));
    await until(() => shown().includes("New: Send other?"));
    expect(reason.value).to.equal("because");
    expect(shadow().activeElement === reason).to.equal(true);
    runtime.answer(asked("Send it?").id, { approved: true, by: "bob", edits: { n: 9, to: "it" } });
    await until(() => shown().includes("It was edited meanwhile."));
    expect(field.value).to.equal("8");
    inbox.person = { id: "ann" };
    expect(reason.value).to.equal("");
    expect(field.value).to.equal("9");
  });

  it("reads a payload that is too long for a record when somebody wants to see it", async () => {
    await runtime.registerAgent({ url: AGENT });
    runtime.registerWorkflow({
      id: "long",
      nodes: [
        { id: "make", type: "task", capabilities: ["work"], input: "{'do': 'echo', 'value': input.text + input.text}" },
        { id: "l", type: "approval", message: "Long?", payload: "nodes.make.output", edit: { type: "string" } },
      ],
      edges: [{ from: "make", to: "l" }],
    });
    inbox.runtime = runtime;
    inbox.person = { id: "ann" };
    runtime.startWorkflow("long", { text: "y".repeat(150_000) });
    await until(() => shown().includes("New: Long?"));
    expect(shown()).to.include("It is long: about 294 kB.");
    expect(isSeen("[part=editing]"), "what is too long can't be edited").to.equal(false);
    button("Show it").click();
    await until(() => shown().includes("yyyy"));
  });

  it("tells of reminders, of an escalation and what was said before it, and what comes at the end", () => {
    const vote = { id: "dan", roles: ["editor"], by: "eve", approved: true, level: "session" } as const;
    const view: ApprovalView = {
      ...{ id: "a", message: "Go?", payload: null, requestedAt: 0, expiresAt: 60_000, onTimeout: "approve" },
      ...{ approvers: [{ role: "boss", weight: 2, veto: true }, "ann"], need: { weight: 2 }, step: 1, reminded: 3 },
      votes: [vote, { id: "ann", roles: [], by: "ann", approved: false, level: "click", reason: "no" }],
    };
    const person = { id: "cy", roles: ["boss"] };
    const nothing = (): Promise<undefined> => Promise.resolve(undefined);
    const item = createItem(view, { answer: nothing, load: nothing, person: () => person });
    const text = (selector: string): string[] =>
      [...item.element.querySelectorAll<HTMLElement>(selector)].map(({ textContent }) => textContent);
    expect(text(".tags span")).to.deep.equal(["Waits for you", "Escalated", "Reminded 3 times"]);
    expect(text(".seats li")).to.deep.equal([
      "boss (weight 2) (veto)is asked",
      "ann✗ ann rejectsno",
      "✓ eve, for dan, approves (session)asked before; it doesn’t count now",
    ]);
    expect(text(".answers p")).to.deep.equal(["Approvals have to weigh 2 together: boss (weight 2) (veto), ann."]);
    const ends: string[] = [];
    for (const onTimeout of ["approve", "reject", "fail", "escalate"] as const) {
      item.update({ ...view, onTimeout, escalation: [{ approvers: ["board"] }] });
      item.refresh(15_000);
      ends.push(...text("[part=deadline]").map((one) => one.replace(/ \(.+\)/u, "")));
    }
    const over = "Its time is over in 45 seconds, then";
    expect(ends).to.deep.equal([
      `${over} it counts as approved.`,
      `${over} it counts as rejected.`,
      `${over} the step fails.`,
      `${over} it goes to board.`,
    ]);
  });

  it("marks in a changed text the words that are others", async () => {
    runtime.registerWorkflow({
      id: "note",
      nodes: [{ id: "n", type: "approval", message: "Note?", payload: "input", need: 2, edit: { type: "string" } }],
    });
    inbox.runtime = runtime;
    inbox.person = { id: "ann" };
    runtime.startWorkflow("note", "ships on Monday at noon");
    await until(() => shown().includes("Note?"));
    const [field] = shadow().querySelectorAll("textarea");
    if (!field) throw new Error("no field");
    field.value = "ships on Tuesday at noon";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    expect([find("del").textContent, find("ins").textContent]).to.deep.equal(["Monday", "Tuesday"]);
    expect(find("p.ins").textContent).to.equal("+ Now: ships on Tuesday at noon");
  });

  it("has a name for every control, and headings to go by", async () => {
    await start();
    for (const control of shadow().querySelectorAll("button, textarea, input, select")) {
      const label = control.closest("label")?.textContent ?? control.textContent;
      expect(label.trim(), control.outerHTML).to.not.equal("");
    }
    const article = find("article");
    expect(shadow().getElementById(article.getAttribute("aria-labelledby") ?? "")?.tagName).to.equal("H3");
    for (const status of shadow().querySelectorAll("p[role]")) expect(status.getAttribute("role")).to.equal("status");
  });
});
