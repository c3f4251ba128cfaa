/** The latest of what happened, in a bounded list in which like follows like only once. */
import { auditOf } from "../sign-off/workflow.ts";
import type { Graph } from "./graph.ts";

export interface ActivityLine {
  readonly key: string;
  readonly at: number;
  readonly tone: "plain" | "good" | "cue" | "fault";
  readonly text: string;
  /** How many events the line stands for. */
  readonly times: number;
}

interface JournalEvent {
  readonly type: string;
  readonly data: unknown;
  readonly at: number;
}

export interface ActivityLog {
  add(event: JournalEvent): void;
  note(tone: ActivityLine["tone"], text: string): void;
  /** Newest first. */
  lines(): readonly ActivityLine[];
}

const MAX_LINES = 120;
/** Like events within this time share a line. */
const TOGETHER = 4_000;

type Text = Omit<ActivityLine, "at" | "times">;

export function createActivityLog(graph: Graph, now: () => number): ActivityLog {
  const titles = new Map(graph.nodes.map(({ id, title }) => [id, title]));
  const maps = new Set(graph.nodes.filter(({ kind }) => kind === "map").map(({ id }) => id));
  let lines: ActivityLine[] = [];
  let serial = 0;

  const push = (line: Text, at: number): void => {
    const recent = lines.slice(0, 6).findIndex((one) => one.key === line.key && at - one.at < TOGETHER);
    const before = recent < 0 ? undefined : lines[recent];
    if (before) {
      lines = lines.map((one) => (one === before ? { ...before, times: before.times + 1 } : one));
      return;
    }
    lines = [{ ...line, at, times: 1 }, ...lines].slice(0, MAX_LINES);
  };

  return {
    add({ type, data, at }) {
      const line = describe(type, data, (node) => titles.get(node) ?? node, maps);
      if (line) push(line, at);
    },
    note(tone, text) {
      serial += 1;
      push({ key: `note ${String(serial)}`, tone, text }, now());
    },
    lines: () => lines,
  };
}

type TitleOf = (node: string) => string;
type Data = Readonly<Record<string, unknown>>;

function describe(type: string, raw: unknown, titleOf: TitleOf, maps: ReadonlySet<string>): Text | undefined {
  const data = (typeof raw === "object" && raw !== null ? raw : {}) as Data;
  const text = (tone: ActivityLine["tone"], words: string, key = words): Text => ({
    key: `${type} ${key}`,
    tone,
    text: words,
  });
  const node = titleOf(textIn(data, "node", ""));
  if (auditOf(textIn(data, "execution", textIn(data, "id", ""))) !== undefined)
    return describeSignOff(type, data, text);
  switch (type) {
    case "execution.started":
      return text("plain", "Audit started");
    case "execution.completed":
      return text("good", "Audit finished");
    case "execution.failed":
      return text("fault", `Audit failed: ${messageOf(data)}`);
    case "execution.cancelled":
      return text("cue", "Audit cancelled");
    case "node.started":
      return isQuiet(data) ? undefined : text("plain", `${node} began`);
    case "node.completed":
      return maps.has(textIn(data, "node", "")) ? text("good", `${node} done`) : undefined;
    case "node.failed":
      return text("fault", `${node} failed: ${messageOf(data)}`);
    case "approval.requested":
      return text("cue", "A person is asked to review");
    case "approval.decided":
      return text("good", `${textIn(data, "by", "Somebody")} has reviewed`);
    case "link.joined":
      return text("plain", `A worker for ${textIn(data, "agent", "an agent")} is up`);
    case "link.left":
      return data["cause"] === "closed"
        ? undefined
        : text(
            "cue",
            `A worker for ${textIn(data, "agent", "an agent")} is gone (${textIn(data, "cause", "unknown")})`,
          );
    case "agent.faulted":
      return text("fault", `${textIn(data, "id", "An agent")} did not start: ${messageOf(data)}`);
    case "host.started":
      return text("cue", "A host took over the journal");
    default:
      return describeTask(type, data, titleOf, text);
  }
}

/** Sign-offs are runs as audits are, but for whoever looks on they are a matter of people. */
function describeSignOff(
  type: string,
  data: Data,
  text: (tone: ActivityLine["tone"], words: string, key?: string) => Text,
): Text | undefined {
  const key = textIn(data, "id", "");
  const by = textIn(data, "by", "Somebody");
  switch (type) {
    case "approval.requested":
      return text("cue", "A sign-off is asked for", key);
    case "approval.voted": {
      const { vote } = data as { readonly vote: { readonly by: string; readonly approved: boolean } };
      return text("good", `${vote.by} ${vote.approved ? "approves of" : "rejects"} a sign-off`, `${key} ${vote.by}`);
    }
    case "approval.edited":
      return text("plain", `${by} has changed what is signed off`, key);
    case "approval.reminded":
      return text("cue", "A sign-off waits still", key);
    case "approval.escalated":
      return text("cue", "A sign-off is up to the lead now", key);
    case "approval.refused":
      return text("fault", `An answer of ${by} to a sign-off was refused`, `${key} ${by}`);
    case "approval.decided":
      return text(
        data["approved"] === true ? "good" : "fault",
        data["approved"] === true ? "Signed off" : "Not signed off",
        key,
      );
    case "execution.cancelled":
      return text("cue", "A sign-off was taken back", key);
    case "execution.failed":
      return text("fault", `A sign-off failed: ${messageOf(data)}`, key);
    default:
      return undefined;
  }
}

function describeTask(
  type: string,
  data: Data,
  titleOf: TitleOf,
  text: (tone: ActivityLine["tone"], words: string) => Text,
): Text | undefined {
  const [, node = "", index] = textIn(data, "id", "").split("/");
  const title = titleOf(node);
  switch (type) {
    case "task.completed":
      return text(
        index === undefined ? "good" : "plain",
        index === undefined ? `${title} done` : `${title}: file checked`,
      );
    case "task.failed":
      if (data["retryAt"] === undefined && index === undefined) return undefined; // its node's failure says it

      return text(
        "fault",
        data["retryAt"] === undefined ? `${title} failed: ${messageOf(data)}` : `${title}: tried again soon`,
      );
    case "task.interrupted":
      return text("cue", `${title}: interrupted, queued again`);
    case "task.checkpointed":
      return text("plain", `${title}: checkpoint kept`);
    default:
      return undefined;
  }
}

/** The text in a field, or what to say without it. */
function textIn(data: Data, field: string, otherwise: string): string {
  const value = data[field];
  return typeof value === "string" ? value : otherwise;
}

const isQuiet = ({ kind }: Data): boolean => kind === "parallel" || kind === "join" || kind === "decision";

function messageOf({ error }: Data): string {
  const message = typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
  return typeof message === "string" ? message : "no reason given";
}
