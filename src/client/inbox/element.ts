/** `<approval-inbox>`: the decisions that wait, and what it takes to make them. It follows the runtime that it is given. */
import type { Person } from "../../core/approvals/policy.ts";
import type { AnswerInput, ApprovalView, Claim, Signer } from "../approval-types.ts";
import type { MirrorState, Runtime } from "../runtime.ts";
import type { createItem, Item } from "./item.ts";
import { element, tell } from "./parts.ts";
import { waitsFor } from "./standing.ts";
import { STYLE } from "./style.ts";
import { countOf } from "./count.ts";

/** Deadlines are told anew so often, in milliseconds. */
const TICK = 1_000;

/** As much of a runtime as it takes. */
export type InboxRuntime = Pick<Runtime, "store" | "answer" | "decide" | "identify" | "settled" | "load">;

interface Shown {
  readonly item: Item;
  view: ApprovalView;
}

export class ApprovalInbox extends HTMLElement {
  readonly #news = element("p", { role: "status", tabindex: "-1", part: "count" });
  /** What has just happened. */
  readonly #said = element("p", { role: "status", part: "news" });
  readonly #list = element("ul", { "aria-label": "Decisions that wait" });
  readonly #items = new Map<string, Shown>();
  /** Requests that were answered here, so that their end is no news. */
  readonly #answered = new Set<string>();
  #runtime: InboxRuntime | undefined;
  #person: Claim | undefined;
  /** Who that is, as the host has found. */
  #found: Person | undefined;
  /** Answers wait until the host knows whose they are. */
  #identified: Promise<unknown> | undefined;
  #select: ((approval: ApprovalView) => boolean) | undefined;
  /** What shows a request; loaded with the first one, because an inbox is mostly empty. */
  #create: typeof createItem | undefined;
  #isLoading = false;
  #end: () => void = () => undefined;

  /** Signs answers, once it is there; without one they are clicks of who is there. */
  signer: Signer | Promise<Signer> | undefined;

  constructor() {
    super();
    const sheet = new CSSStyleSheet(); // a policy that allows no inline styles allows this
    sheet.replaceSync(STYLE);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#news, this.#said, this.#list);
  }

  get runtime(): InboxRuntime | undefined {
    return this.#runtime;
  }

  set runtime(runtime: InboxRuntime | undefined) {
    this.#runtime = runtime;
    if (this.isConnected) this.#follow();
    if (this.#person) this.#identify();
  }

  /** Who is signed in, or undefined when nobody is there; the host is told. */
  get person(): Claim | undefined {
    return this.#person;
  }

  set person(person: Claim | undefined) {
    this.#person = person;
    this.#found = undefined;
    tell(this.#said, "");
    this.#identify();
    this.#look();
  }

  /** Which requests are listed. Default: all. */
  get select(): ((approval: ApprovalView) => boolean) | undefined {
    return this.#select;
  }

  set select(select: ((approval: ApprovalView) => boolean) | undefined) {
    this.#select = select;
    this.#look();
  }

  connectedCallback(): void {
    this.#follow();
  }

  disconnectedCallback(): void {
    this.#end();
  }

  #identify(): void {
    const person = this.#person;
    this.#identified = this.#runtime?.identify(person).then(
      (actor) => {
        if (person !== this.#person) return; // another is there by now
        this.#found = actor;
        this.#look();
      },
      (error: unknown) => {
        tell(this.#said, `You aren't signed in: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  }

  /** Who is there: as the host has found, and until then as it is claimed. */
  #who(): Person | undefined {
    const { id, roles = [] } = this.#person ?? {};
    return this.#found ?? (id === undefined ? undefined : { id, roles });
  }

  #follow(): void {
    this.#end();
    const store = this.#runtime?.store;
    if (!store) {
      tell(this.#news, "No runtime is connected.");
      return;
    }
    let seen: MirrorState | undefined;
    const look = (state: MirrorState): void => {
      if (seen?.approvals !== state.approvals || seen.status !== state.status) this.#show(state, seen !== undefined);
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

  /** Shows it anew: something else than the requests has changed. */
  #look(isNews = false): void {
    if (this.#runtime && this.isConnected) this.#show(this.#runtime.store.getState(), isNews);
  }

  #show({ approvals, status, error }: MirrorState, isNews: boolean): void {
    const views = [...approvals.values()].filter((view) => this.#select?.(view) ?? true);
    if (views.length > 0 && !this.#create && !this.#isLoading) void this.#load(isNews);
    const { news, wasFocused } = this.#renew(new Map(views.map((view) => [view.id, view])));
    this.#sort();
    this.#tick();
    const who = this.#who();
    const mine = views.filter((view) => waitsFor(view, who ?? {})).length;
    const waiting = countOf(views.length, mine, who !== undefined);
    if (status === "stopped") tell(this.#news, `The runtime has stopped: ${error?.message ?? "it was closed"}`);
    else tell(this.#news, status === "ready" ? waiting : `${waiting} Connecting …`);
    if (isNews && news.length > 0) tell(this.#said, news.join(" "));
    if (!wasFocused) return;
    const [next] = this.#list.children; // whoever has decided with the keyboard goes on from there
    const first = [...this.#items.values()].find(({ item }) => item.element === next);
    if (first) first.item.focus();
    else this.#news.focus();
  }

  async #load(isNews: boolean): Promise<void> {
    this.#isLoading = true;
    try {
      this.#create = (await import("./item.ts")).createItem;
      this.#look(isNews);
    } catch (error) {
      this.#isLoading = false; // tried again when something changes
      tell(this.#said, `The requests can't be shown: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Brings the items to what there is; tells what is new and what is gone. */
  #renew(views: ReadonlyMap<string, ApprovalView>): { readonly news: string[]; readonly wasFocused: boolean } {
    const news: string[] = [];
    let wasFocused = false;
    for (const [id, { item, view }] of this.#items) {
      if (views.get(id)?.requestedAt === view.requestedAt) continue;
      wasFocused ||= item.element.contains(this.shadowRoot?.activeElement ?? null);
      item.element.remove();
      this.#items.delete(id);
      if (!this.#answered.delete(id)) news.push(`It isn't asked any more: ${view.message}`);
    }
    for (const [id, view] of views) {
      const known = this.#items.get(id);
      if (known?.view === view) continue;
      if (known) {
        known.view = view;
        known.item.update(view);
        continue;
      }
      const item = this.#create?.(view, {
        answer: (...said) => this.#answer(...said),
        load: async (payload) => this.#runtime?.load(payload),
        person: () => this.#who(),
      });
      if (!item) continue; // it comes with the code
      this.#items.set(id, { item, view });
      news.push(`New: ${view.message}`);
    }
    return { news, wasFocused };
  }

  /** Those that wait for who is there come first, and of these what is over soonest. What has the focus isn't moved. */
  #sort(): void {
    const who = this.#who() ?? {};
    const rank = ({ view }: Shown): readonly number[] => [
      waitsFor(view, who) ? 0 : 1,
      view.expiresAt ?? Infinity,
      view.requestedAt,
    ];
    const ranked = [...this.#items.values()].map((shown) => ({ node: shown.item.element, rank: rank(shown) }));
    ranked.sort((a, b) => {
      const at = a.rank.findIndex((one, place) => one !== b.rank[place]);
      return at < 0 ? 0 : (a.rank[at] ?? 0) - (b.rank[at] ?? 0);
    });
    const nodes = ranked.map(({ node }) => node);
    if (nodes.every((node, at) => this.#list.children[at] === node)) return;
    const focused = nodes.findIndex((node) => node.contains(this.shadowRoot?.activeElement ?? null));
    nodes[focused]?.before(...nodes.slice(0, focused));
    this.#list.append(...nodes.slice(focused + 1));
  }

  #tick(): void {
    for (const { item } of this.#items.values()) item.refresh(Date.now());
  }

  async #answer(view: ApprovalView, answer: AnswerInput): Promise<void> {
    const [runtime, by] = [this.#runtime, this.#person?.id]; // who it is now, not who is there when it is known
    const [signer] = await Promise.all([this.signer, this.#identified]);
    if (!runtime) return;
    this.#answered.add(view.id);
    try {
      if (signer) await runtime.decide(view, answer, signer);
      else {
        runtime.answer(view.id, { ...answer, ...(by !== undefined && { by }) });
        await runtime.settled(view.id);
      }
    } catch (error) {
      this.#answered.delete(view.id);
      throw error;
    }
    tell(this.#said, `You have ${answer.approved ? "approved" : "rejected"}: ${view.message}`);
  }
}

/** Makes `<approval-inbox>` known to the page. */
export function defineApprovalInbox(): void {
  if (!customElements.get("approval-inbox")) customElements.define("approval-inbox", ApprovalInbox);
}
