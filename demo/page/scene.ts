/** All that a view needs to draw, and all that a person can do. */
import type { MirrorState } from "../../src/index.ts";
import type { Waiting } from "../inbox/waiting.ts";
import type { Person } from "../people/people.ts";
import type { Proposal } from "../sign-off/workflow.ts";
import type { Severity } from "../audit.ts";
import type { ReportKind } from "../report/files.ts";
import type { Filter, Grouping, Verdict } from "../review/review.ts";
import type { ActivityLine } from "../run/activity.ts";
import type { Graph } from "../run/graph.ts";
import type { Hits } from "../run/hits.ts";
import type { Run } from "../run/run.ts";
import type { Ui } from "./state.ts";

export interface Scene {
  readonly ui: Ui;
  readonly mirror: MirrorState;
  readonly graph: Graph;
  /** The run on show; undefined on the start page. */
  readonly run: Run | undefined;
  /** Where the maps' items have findings. */
  readonly hits: Hits;
  /** What happened lately, newest first. */
  readonly activity: readonly ActivityLine[];
  /** Other runs that are live. */
  readonly others: readonly Run[];
  /** The run was asked for, and nobody has said yet whether it exists. */
  readonly searching: boolean;
  /** The approvals that are open: which are reviews of audits, and how many wait for who is here. */
  readonly waiting: Waiting;
  /** `<approval-inbox>`, kept while other parts of the page are on show, with what is written in it. */
  readonly inbox: HTMLElement;
  readonly actions: Actions;
}

export interface Actions {
  readonly pickFiles: (files: readonly File[]) => void;
  readonly drop: (transfer: DataTransfer) => void;
  readonly drag: (over: boolean) => void;
  readonly startSample: () => void;
  readonly dismissRefusal: () => void;
  readonly dismissNotice: (id: number) => void;
  readonly setTheme: (theme: Ui["theme"]) => void;
  readonly cancel: () => void;
  readonly confirm: (what: Ui["confirming"]) => void;
  readonly keepStorage: () => void;
  readonly moreHistory: () => void;
  readonly download: (kind: ReportKind) => void;
  readonly review: ReviewActions;
  readonly people: PeopleActions;
  readonly signOff: SignOffActions;
}

export interface PeopleActions {
  /** Nobody, when there is none. */
  readonly signIn: (person: Person | undefined) => void;
  /** Whether answers are signed with a key of this browser. */
  readonly sign: (signing: boolean) => void;
}

export interface SignOffActions {
  readonly draft: (change: Partial<Pick<Proposal, "note" | "risk">>) => void;
  /** Asks for the sign-off of the audit that is on show. */
  readonly ask: () => void;
  readonly takeBack: (id: string) => void;
}

export interface ReviewActions {
  readonly decide: (ids: readonly string[], verdict: Verdict | undefined) => void;
  readonly key: (event: KeyboardEvent) => void;
  readonly place: (key: string, event: MouseEvent) => void;
  readonly fold: (key: string) => void;
  readonly filter: (change: Partial<Filter>) => void;
  readonly toggleSeverity: (severity: Severity) => void;
  readonly group: (grouping: Grouping) => void;
  readonly reason: (text: string) => void;
  readonly remark: (text: string) => void;
  readonly reviewer: (name: string) => void;
  readonly showKeys: (shown: boolean) => void;
  readonly submit: () => void;
  readonly reject: () => void;
}
