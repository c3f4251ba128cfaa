/** The slices put together: one state, one fold, one table of rules. */
import { agentsFold, type AgentsState } from "./agents/fold.ts";
import type { AgentCommands, AgentEvents } from "./agents/agent.ts";
import type { ApprovalCommands, ApprovalEvents } from "./approvals/approval.ts";
import { approvalsFold, type ApprovalsState } from "./approvals/fold.ts";
import type { CapabilityCommands, CapabilityEvents } from "./capabilities/capability.ts";
import { capabilitiesFold, type CapabilitiesState } from "./capabilities/fold.ts";
import { RuntimeError } from "./errors.ts";
import { hostingFold, type HostingState } from "./hosting/fold.ts";
import type { HostingCommands, HostingEvents } from "./hosting/hosting.ts";
import { decodeJson, type JsonText } from "./json.ts";
import type { FactOf, Fold, Kit, RecordedOf, RequestOf } from "./kernel.ts";
import { limitsFold, type LimitsState } from "./limits/fold.ts";
import type { LimitCommands, LimitEvents } from "./limits/limit.ts";
import { tasksFold, type TasksState } from "./tasks/fold.ts";
import { messagesFold, type MessagesState } from "./messages/fold.ts";
import type { MessageCommands, MessageEvents } from "./messages/message.ts";
import { mailFold, type MailState } from "./mail/fold.ts";
import type { MailCommands, MailEvents } from "./mail/mail.ts";
import { schedulesFold, type SchedulesState } from "./schedules/fold.ts";
import type { ScheduleCommands, ScheduleEvents } from "./schedules/schedule.ts";
import type { MeterCommands, MeterEvents } from "./tasks/meters.ts";
import type { TaskCommands, TaskEvents } from "./tasks/task.ts";
import { timersFold, type TimersState } from "./timers/fold.ts";
import type { TimerCommands, TimerEvents } from "./timers/timer.ts";
import type { WorkflowCommands, WorkflowEvents } from "./workflows/execution.ts";
import { deadlinesFold, type DeadlinesState } from "./workflows/deadlines.ts";
import { workflowsFold, type WorkflowsState } from "./workflows/fold.ts";

/** Every event of the core, by type. */
export type CoreEvents = HostingEvents &
  TaskEvents &
  MeterEvents &
  ApprovalEvents &
  AgentEvents &
  LimitEvents &
  TimerEvents &
  MessageEvents &
  MailEvents &
  WorkflowEvents &
  ScheduleEvents &
  CapabilityEvents;
/** Every command of the core, by type. */
export type CoreCommands = HostingCommands &
  TaskCommands &
  MeterCommands &
  ApprovalCommands &
  AgentCommands &
  LimitCommands &
  TimerCommands &
  MessageCommands &
  MailCommands &
  WorkflowCommands &
  ScheduleCommands &
  CapabilityCommands;

export type CoreFact = FactOf<CoreEvents>;
export type CoreEvent = RecordedOf<CoreEvents>;
export type CoreCommand = RequestOf<CoreCommands>;

/** The live state of all slices. */
export interface CoreState {
  readonly hosting: HostingState;
  readonly tasks: TasksState;
  readonly approvals: ApprovalsState;
  readonly agents: AgentsState;
  readonly limits: LimitsState;
  readonly timers: TimersState;
  readonly messages: MessagesState;
  readonly mail: MailState;
  readonly workflows: WorkflowsState;
  readonly deadlines: DeadlinesState;
  readonly schedules: SchedulesState;
  readonly capabilities: CapabilitiesState;
}

/** The folds in their order; an event is folded from left to right. */
export const folds = {
  hosting: hostingFold,
  tasks: tasksFold,
  approvals: approvalsFold,
  agents: agentsFold,
  limits: limitsFold,
  timers: timersFold,
  messages: messagesFold,
  mail: mailFold,
  workflows: workflowsFold,
  deadlines: deadlinesFold,
  schedules: schedulesFold,
  capabilities: capabilitiesFold,
} as const;

type SliceName = keyof typeof folds;
const names = Object.keys(folds) as SliceName[];

export function createState(kit: Kit): CoreState {
  return {
    hosting: hostingFold.create(kit),
    tasks: tasksFold.create(kit),
    approvals: approvalsFold.create(kit),
    agents: agentsFold.create(kit),
    limits: limitsFold.create(kit),
    timers: timersFold.create(kit),
    messages: messagesFold.create(kit),
    mail: mailFold.create(kit),
    workflows: workflowsFold.create(kit),
    deadlines: deadlinesFold.create(kit),
    schedules: schedulesFold.create(kit),
    capabilities: capabilitiesFold.create(kit),
  };
}

type Applier = (state: CoreState, data: unknown, at: number) => void;

const appliers = new Map<string, readonly Applier[]>();

/** What the slices do with an event of the type, from left to right; found once. */
function appliersOf(type: string): readonly Applier[] {
  const known = appliers.get(type);
  if (known) return known;
  const found = names.flatMap((name) => {
    const fold = folds[name] as Fold<unknown, Record<string, unknown>>;
    const apply = new Map(Object.entries(fold.apply)).get(type);
    if (!apply) return [];
    const applier: Applier = (state, data, at) => {
      apply(state[name], data, at);
    };
    return [applier];
  });
  appliers.set(type, found);
  return found;
}

/** Folds one event; a type that no slice knows changes nothing, so that an older reader survives a newer journal. */
export function applyEvent(state: CoreState, { type, data, at }: CoreEvent): void {
  for (const apply of appliersOf(type)) apply(state, data, at);
}

/** Version of what {@link saveState} writes. */
const STATE_FORMAT = 1;

/** The live state as JSON; `at` is when the last event of it was recorded. */
export function saveState(state: CoreState, at?: number): JsonText {
  const slices = Object.fromEntries(
    names.map((name) => [name, (folds[name] as Fold<unknown, unknown>).save(state[name])]),
  );
  return JSON.stringify({ format: STATE_FORMAT, at, ...slices });
}

/**
 * Fills a fresh state from what {@link saveState} wrote; gives back when its last event was recorded, or 0.
 * @throws RuntimeError `host/incompatible` when another release wrote it in a form that this one doesn't know.
 */
export function restoreState(state: CoreState, text: JsonText): number {
  const saved = decodeJson(text, "snapshot") as Record<string, unknown>;
  if (saved["format"] !== STATE_FORMAT)
    throw new RuntimeError("host/incompatible", { format: saved["format"], known: STATE_FORMAT });
  for (const name of names) (folds[name] as Fold<unknown, unknown>).restore(state[name], saved[name]);
  return Number(saved["at"] ?? 0); // an older release didn't say it
}
