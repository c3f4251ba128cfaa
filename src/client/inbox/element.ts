/** `<approval-inbox>`: the decisions that wait, and what it takes to make them. It follows the runtime that it is given. */
import type { AnswerInput, ApprovalView, Claim, Signer } from "../approval-types.ts";
import type { MirrorState, Runtime } from "../runtime.ts";
import { createItem, type Item } from "./item.ts";
import { element, STYLE } from "./parts.ts";

/** Deadlines are told anew so often, in milliseconds. */
const TICK = 30_000;

/** As much of a runtime as it takes. */
export type InboxRuntime = Pick<Runtime, "store" | "answer" | "decide" | "identify" | "settled">;

export class ApprovalInbox extends HTMLElement {
  readonly #news = element("p", { role: "status", tabindex: "-1" });
  readonly #list = element("ul", { "aria-label": "Decisions that wait" });
  readonly #items = new Map<string, { readonly item: Item; view: ApprovalView }>();
  #runtime: InboxRuntime | undefined;
  #person: Claim | undefined;
  /** Answers wait until the host knows whose they are. */
  #identified: Promise<unknown> | undefined;
  #end: () => void = () => undefined;

  /** Signs answers; without one they are clicks of who is there. */
  signer: Signer | undefined;

  constructor() {
    super();
    const sheet = new CSSStyleSheet(); // a policy that allows no inline styles allows this
    sheet.replaceSync(STYLE);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#news, this.#list);
  }

  get runtime(): InboxRuntime | undefined {
    return this.#runtime;
  }

  set runtime(runtime: InboxRuntime | undefined) {
    this.#runtime = runtime;
    if (this.isConnected) this.#follow();
    if (this.#person) this.#identify();
  }

  /** Who is signed in; the host is told. */
  get person(): Claim | undefined {
    return this.#person;
  }

  set person(person: Claim | undefined) {
    this.#person = person;
    this.#identify();
    this.#tick();
  }

  connectedCallback(): void {
    this.#follow();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  #identify(): void {
    this.#identified = this.#runtime?.identify(this.#person).catch((error: unknown) => {
      this.#news.textContent = `You aren't signed in: ${error instanceof Error ? error.message : String(error)}`;
    });
  }

  #follow(): void {
    this.#end();
    const store = this.#runtime?.store;
    if (!store) {
      this.#news.textContent = "No runtime is connected.";
      return;
    }
    let seen: MirrorState | undefined;
    const look = (state: MirrorState): void => {
      if (seen?.approvals !== state.approvals || seen.status !== state.status) this.#show(state);
      seen = state;
    };
    const unsubscribe = store.subscribe(look);
    const timer = setInterval(() => {
      this.#tick();
    }, TICK);
    this.#end = () => {
      unsubscribe();
      clearInterval(timer);
    };
    look(store.getState());
  }

  #show({ approvals, status, error }: MirrorState): void {
    let wasFocused = false;
    for (const [id, { item, view }] of this.#items) {
      if (approvals.get(id)?.requestedAt === view.requestedAt) continue;
      wasFocused ||= item.element.contains(this.shadowRoot?.activeElement ?? null);
      item.element.remove();
      this.#items.delete(id);
    }
    for (const [id, view] of approvals) {
      const known = this.#items.get(id);
      if (known?.view === view) continue;
      if (known) {
        known.view = view;
        known.item.update(view);
      } else {
        const item = createItem(view, { answer: (...said) => this.#answer(...said), person: () => this.#person });
        this.#items.set(id, { item, view });
        this.#list.append(item.element);
      }
    }
    this.#tick();
    const { size } = approvals;
    const waiting =
      size === 0
        ? "Nothing waits for a decision."
        : `${String(size)} ${size === 1 ? "decision waits" : "decisions wait"}.`;
    if (status === "stopped") this.#news.textContent = `The runtime has stopped: ${error?.message ?? "it was closed"}`;
    else this.#news.textContent = status === "ready" ? waiting : `${waiting} Connecting …`;
    if (!wasFocused) return;
    const [next] = this.#items.values(); // whoever has decided with the keyboard goes on from there
    if (next) next.item.focus();
    else this.#news.focus();
  }

  #tick(): void {
    for (const { item } of this.#items.values()) item.refresh(Date.now());
  }

  async #answer(view: ApprovalView, answer: AnswerInput): Promise<void> {
    const { signer } = this;
    const runtime = this.#runtime;
    if (!runtime) return;
    await this.#identified;
    if (signer) {
      await runtime.decide(view, answer, signer);
      return;
    }
    const by = this.#person?.id;
    runtime.answer(view.id, { ...answer, ...(by !== undefined && { by }) });
    await runtime.settled(view.id);
  }
}

/** Makes `<approval-inbox>` known to the page. */
export function defineApprovalInbox(): void {
  if (!customElements.get("approval-inbox")) customElements.define("approval-inbox", ApprovalInbox);
}
