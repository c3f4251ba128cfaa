/** Rules of runs and their nodes, and of approvals. */
import { textOf, type Claim, type Data, type Rules } from "./rule.ts";

export interface KnownRun {
  readonly id: string;
  readonly workflow: string;
  readonly parent: unknown;
  /** The latest of each node. */
  readonly nodes: Map<string, "started" | "completed" | "skipped" | "failed">;
  ended: "completed" | "failed" | "cancelled" | undefined;
  output: string | undefined;
}

export interface RunRules {
  readonly rules: Rules;
  readonly runs: ReadonlyMap<string, KnownRun>;
  /** Open ones. */
  readonly approvals: ReadonlyMap<string, KnownApproval>;
}

interface KnownApproval {
  readonly need: unknown;
  votes: { readonly id: string; readonly by: string; readonly approved: boolean }[];
}

export function createRunRules(claim: Claim): RunRules {
  const runs = new Map<string, KnownRun>();
  const live = (id: unknown, what: string): KnownRun | undefined => {
    const run = runs.get(textOf(id));
    claim(run !== undefined, "once", () => `run ${textOf(id)} ${what} and was never started`);
    claim(run?.ended === undefined, "one end", () => `run ${textOf(id)} ${what} after it was ${run?.ended ?? ""}`);
    return run;
  };
  const end = (how: NonNullable<KnownRun["ended"]>, { id, output }: Data): void => {
    const run = live(id, `is ${how}`);
    if (!run) return;
    run.ended = how;
    run.output = output === undefined ? undefined : textOf(output);
    const open = [...run.nodes].filter(([, status]) => status === "started");
    claim(how !== "completed" || open.length === 0, "nodes", () => `run ${run.id} is completed while ${textOf(open)}`);
  };
  const { rules, approvals } = createApprovalRules(claim);
  return {
    runs,
    approvals,
    rules: {
      ...rules,
      ...nodeRules(claim, live),
      "execution.started": ({ id, workflow, parent }) => {
        claim(!runs.has(textOf(id)) || parent !== undefined, "once", () => `run ${textOf(id)} was started twice`);
        const run = { id: textOf(id), workflow: textOf(workflow), parent, nodes: new Map() };
        runs.set(run.id, { ...run, ended: undefined, output: undefined });
      },
      "execution.completed": (data) => {
        end("completed", data);
      },
      "execution.failed": (data) => {
        end("failed", data);
      },
      "execution.cancelled": (data) => {
        end("cancelled", data);
      },
    },
  };
}

type Live = (id: unknown, what: string) => KnownRun | undefined;

function nodeRules(claim: Claim, live: Live): Rules {
  const set = (status: "started" | "completed" | "skipped" | "failed", { execution, node }: Data): void => {
    const run = live(execution, `has ${textOf(node)} ${status}`);
    const before = run?.nodes.get(textOf(node));
    const isNew = status === "started" || status === "skipped";
    const isRight = isNew ? before === undefined : before === "started";
    claim(
      isRight,
      "nodes",
      () => `node ${textOf(execution)}/${textOf(node)} is ${status}, and was ${before ?? "not reached"}`,
    );
    run?.nodes.set(textOf(node), status);
  };
  return {
    "node.started": (data) => {
      set("started", data);
    },
    "node.completed": (data) => {
      set("completed", data);
    },
    "node.skipped": (data) => {
      set("skipped", data);
    },
    "node.failed": (data) => {
      set("failed", data);
    },
  };
}

function createApprovalRules(claim: Claim): Pick<RunRules, "rules" | "approvals"> {
  const approvals = new Map<string, KnownApproval>();
  const open = (id: unknown, what: string): KnownApproval | undefined => {
    const approval = approvals.get(textOf(id));
    claim(approval !== undefined, "approvals", () => `approval ${textOf(id)} ${what}, and isn't open`);
    return approval;
  };
  const forget = ({ id }: Data): void => {
    const approval = open(id, "was edited or escalated");
    if (approval) approval.votes = [];
  };
  return {
    approvals,
    rules: {
      "approval.requested": ({ id, need }) => void approvals.set(textOf(id), { need, votes: [] }),
      "approval.edited": forget,
      "approval.escalated": forget,
      "approval.voted": ({ id, vote }) => {
        const approval = open(id, "was voted on");
        const { id: seat, by, approved } = vote as KnownApproval["votes"][number];
        const isSecond = approval?.votes.some((one) => one.by === by || one.id === seat) ?? false;
        claim(!isSecond, "approvals", () => `${by} was counted twice in approval ${textOf(id)}`);
        approval?.votes.push({ id: seat, by, approved });
      },
      "approval.decided": ({ id, approved, expired, sibling, votes }) => {
        const approval = open(id, "was decided");
        approvals.delete(textOf(id));
        if (typeof approval?.need !== "number" || expired === true || sibling !== undefined || approved !== true)
          return;
        const people = new Set(
          ((votes ?? []) as KnownApproval["votes"]).filter((one) => one.approved).map(({ by }) => by),
        );
        const { need } = approval;
        claim(
          people.size >= need,
          "approvals",
          () => `approval ${textOf(id)} needs ${textOf(need)} people, ${people.size} approved`,
        );
      },
      "approval.cancelled": ({ id }) => void approvals.delete(textOf(id)),
    },
  };
}
