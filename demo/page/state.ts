/** What the page itself knows: which run is shown, what a person types; the runtime's state is in its own store. */
import type { ErrorData, ExecutionView, Signer } from "../../src/index.ts";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { AuditReport } from "../audit.ts";
import type { Person } from "../people/people.ts";
import type { Proposal, SignedOff } from "../sign-off/workflow.ts";
import type { Readiness } from "../offline/readiness.ts";
import type { ReviewState } from "../review/review.ts";

/** auto: the newest live run, else the start. */
export type Route =
  | { readonly kind: "auto" }
  | { readonly kind: "new" }
  | { readonly kind: "inbox" }
  | { readonly kind: "run"; readonly id: string };

export type Intake =
  | { readonly step: "idle" }
  | { readonly step: "reading" | "storing"; readonly name: string; readonly done: number; readonly total: number }
  | { readonly step: "refused"; readonly name: string; readonly reason: string };

export interface Notice {
  readonly id: number;
  readonly tone: "good" | "cue" | "fault";
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string | undefined;
}

/** How this page came to the run that it shows. */
export interface Resumption {
  readonly run: string;
  readonly at: number;
  readonly how: "resumed" | "joined";
  readonly done: number;
  readonly total: number;
}

export interface HistoryEntry {
  readonly id: string;
  readonly name: string;
  readonly status: ExecutionView["status"];
  readonly finishedAt: number;
  readonly duration: number;
}

export interface History {
  readonly entries: readonly HistoryEntry[];
  readonly next: string | undefined;
}

export type LoadedReport =
  { readonly status: "ready"; readonly report: AuditReport } | { readonly status: "gone"; readonly error: ErrorData };

export interface Draft extends Partial<Pick<Proposal, "note" | "risk">> {
  readonly audit: string;
}

export interface Ui {
  readonly now: number;
  readonly route: Route;
  readonly theme: "system" | "light" | "dark";
  readonly dragging: boolean;
  readonly intake: Intake;
  readonly notices: readonly Notice[];
  /** Ended runs that were asked for; null when the archive has none by this id. */
  readonly ended: ReadonlyMap<string, ExecutionView | null>;
  readonly reports: ReadonlyMap<string, LoadedReport>;
  /** The paths that a run's maps went over, by node. */
  readonly paths: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly history: History | undefined;
  readonly tabs: number;
  readonly storage: { readonly used: number; readonly quota: number; readonly persisted: boolean } | undefined;
  readonly offline: Readiness;
  /** Who is signed in in this tab. */
  readonly person: Person | undefined;
  /** Whether answers of that one are to be signed; what will sign them, and the same once it is there. */
  readonly signing: boolean;
  readonly signerSoon: Promise<Signer> | undefined;
  readonly signer: Signer | undefined;
  /** Who reviews, as it is typed where nobody is signed in. */
  readonly reviewer: string;
  /** The sign-offs that have ended, by audit, in their order. */
  readonly signOffs: ReadonlyMap<string, readonly SignedOff[]>;
  /** What is written for the next sign-off of an audit. */
  readonly proposal: Draft | undefined;
  readonly review: ReviewState | undefined;
  readonly resumption: Resumption | undefined;
  readonly confirming: "cancel" | "reject" | undefined;
  readonly keysShown: boolean;
  readonly stageWidth: number;
}

export type UiStore = StoreApi<Ui>;

export const createUi = (start: Pick<Ui, "theme" | "person" | "signing" | "route">): UiStore =>
  createStore<Ui>(() => ({
    now: Date.now(),
    dragging: false,
    intake: { step: "idle" },
    notices: [],
    ended: new Map(),
    reports: new Map(),
    paths: new Map(),
    history: undefined,
    tabs: 1,
    storage: undefined,
    offline: "preparing",
    review: undefined,
    reviewer: "",
    signer: undefined,
    signerSoon: undefined,
    signOffs: new Map(),
    proposal: undefined,
    resumption: undefined,
    confirming: undefined,
    keysShown: false,
    stageWidth: 0,
    ...start,
  }));
