/**
 * What pages and the host say to each other. Every frame is one posted message; whatever a host says carries the
 * database, the epoch and the last durable number, so that a page sees at once when another host answers, or when
 * the storage was lost.
 */
import * as v from "valibot";
import { UNREGISTER_MODES } from "./agents/agent.ts";
import { ManifestSchema } from "./agents/manifest.ts";
import { ApprovalAnswerSchema, ApproverRegisterSchema, DelegationSchema } from "./approvals/approval.ts";
import { CapabilityRegisterSchema, CapabilityUnregisterSchema } from "./capabilities/registration.ts";
import { plainError, type ErrorData } from "./errors.ts";
import type { JsonText } from "./json.ts";
import type { EncodedPart } from "./picture.ts";
import { BlobRefSchema } from "./plugin.ts";
import { LimitRemoveSchema, LimitSetSchema } from "./limits/settings.ts";
import { MailDefineSchema, MailReplaySchema, MailSubscribeSchema } from "./mail/mail.ts";
import { MAIL_COMMANDS, MailQuerySchema } from "./mail/delivery.ts";
import { MessagePublishSchema } from "./messages/message.ts";
import { ScheduleSetSchema } from "./schedules/schedule.ts";
import { ExecutionRetrySchema } from "./workflows/retry-order.ts";
import { TaskOrderSchema } from "./tasks/order.ts";
import { SecretNameSchema, SecretValueSchema } from "./tasks/secrets.ts";
import { PRIORITIES } from "./tasks/priority.ts";
import { requirementFields } from "./tasks/requirement.ts";

const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const reason = v.optional(v.pipe(v.string(), v.maxLength(4_096)));

/** What a page may ask of the host. Everything else is refused, whoever asks. */
export const PageCommandSchema = v.variant("type", [
  v.strictObject({ type: v.literal("task.create"), data: TaskOrderSchema }),
  v.strictObject({ type: v.literal("task.cancel"), data: v.strictObject({ id, reason }) }),
  v.strictObject({
    type: v.literal("task.reprioritize"),
    data: v.strictObject({ id, priority: v.picklist(PRIORITIES) }),
  }),
  v.strictObject({ type: v.literal("limit.set"), data: LimitSetSchema }),
  v.strictObject({ type: v.literal("limit.remove"), data: LimitRemoveSchema }),
  v.strictObject({ type: v.literal("capability.register"), data: CapabilityRegisterSchema }),
  v.strictObject({ type: v.literal("capability.unregister"), data: CapabilityUnregisterSchema }),
  v.strictObject({
    type: v.literal("agent.register"),
    data: v.strictObject({ ...ManifestSchema.entries, replace: v.optional(v.boolean()) }),
  }),
  v.strictObject({
    type: v.literal("agent.unregister"),
    data: v.strictObject({ id, mode: v.optional(v.picklist(UNREGISTER_MODES)) }),
  }),
  v.strictObject({ type: v.literal("agent.switch"), data: v.strictObject({ id, offline: v.boolean() }) }),
  v.strictObject({ type: v.literal("approval.answer"), data: ApprovalAnswerSchema }),
  v.strictObject({ type: v.literal("approval.delegate"), data: DelegationSchema }),
  v.strictObject({
    type: v.literal("workflow.register"),
    data: v.strictObject({ text: v.string(), strict: v.optional(v.boolean()) }),
  }),
  v.strictObject({
    type: v.literal("execution.start"),
    data: v.strictObject({
      id,
      workflow: id,
      version: v.optional(id),
      input: v.string(),
      priority: v.optional(v.picklist(PRIORITIES)),
      deadline: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15))),
    }),
  }),
  v.strictObject({ type: v.literal("workflow.rollback"), data: v.strictObject({ workflow: id, version: id }) }),
  v.strictObject({ type: v.literal("execution.migrate"), data: v.strictObject({ id, version: id }) }),
  v.strictObject({ type: v.literal("message.publish"), data: MessagePublishSchema }),
  ...MAIL_COMMANDS,
  v.strictObject({ type: v.literal("mail.replay"), data: MailReplaySchema }),
  v.strictObject({ type: v.picklist(["mail.subscribe", "mail.unsubscribe"]), data: MailSubscribeSchema }),
  v.strictObject({ type: v.literal("mail.define"), data: MailDefineSchema }),
  v.strictObject({ type: v.literal("schedule.set"), data: ScheduleSetSchema }),
  v.strictObject({ type: v.literal("schedule.remove"), data: v.strictObject({ id }) }),
  v.strictObject({ type: v.literal("execution.retry"), data: ExecutionRetrySchema }),
  v.strictObject({
    type: v.literal("execution.pause"),
    data: v.strictObject({ id, interrupt: v.optional(v.boolean()) }),
  }),
  v.strictObject({ type: v.literal("execution.resume"), data: v.strictObject({ id }) }),
  v.strictObject({ type: v.literal("execution.cancel"), data: v.strictObject({ id, reason }) }),
]);
export type PageCommand = v.InferOutput<typeof PageCommandSchema>;
/** The same as a page sends it: defaults may be left out. */
export type PageRequest = v.InferInput<typeof PageCommandSchema>;

/** The most commands in one frame. */
export const MAX_COMMANDS = 10_000;

const errorData = v.pipe(
  v.looseObject({ name: v.string(), message: v.string(), code: v.string() }),
  v.transform((error): ErrorData => plainError(error)), // bounded before anybody looks at it
);

/** From a page to the host. */
export const PageFrameSchema = v.variant("kind", [
  /** The first one: who I am, what I speak, and the lock that I hold while I live. Each hello of a session has a higher number. */
  v.strictObject({
    kind: v.literal("hello"),
    number: v.optional(count, 0),
    protocol: count,
    version: v.string(),
    session: id,
    lock: id,
    /** Whether it wants the events too. */
    listening: v.optional(v.boolean(), false),
  }),
  /** Whether it wants the journal's events from now on, beside what they change. */
  v.strictObject({ kind: v.literal("listen"), on: v.boolean() }),
  /** Commands numbered from `first` on; answers up to `acknowledged` have arrived. Sent again to every new host until answered. */
  v.strictObject({
    kind: v.literal("commands"),
    first: count,
    acknowledged: count,
    commands: v.pipe(v.array(v.unknown()), v.maxLength(MAX_COMMANDS)),
  }),
  /** The agents that this page can spawn. */
  v.strictObject({
    kind: v.literal("offer"),
    agents: v.pipe(v.array(id), v.maxLength(10_000)),
    /** The processors of its machine, as far as it knows. */
    cores: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4_096))),
  }),
  /** A worker is up; its port is transferred along, or its frames are relayed. */
  v.strictObject({
    kind: v.literal("joined"),
    link: id,
    agent: id,
    port: v.optional(v.unknown()),
  }),
  v.strictObject({
    kind: v.literal("left"),
    link: id,
    cause: v.picklist(["crashed", "killed", "closed"]),
    error: v.optional(errorData),
  }),
  /** A worker takes so many bytes of memory, where that can be measured. */
  v.strictObject({ kind: v.literal("memory"), link: id, bytes: count }),
  /** Frames of a worker whose port could not be transferred. */
  v.strictObject({ kind: v.literal("relay"), link: id, frames: v.unknown() }),
  v.strictObject({ kind: v.literal("query"), call: count, query: v.unknown() }),
  v.strictObject({ kind: v.literal("bye") }),
]);
export type PageFrame = v.InferOutput<typeof PageFrameSchema>;

/** What a page may ask without changing anything that is journaled. */
export const QuerySchema = v.variant("type", [
  v.strictObject({ type: v.literal("archived"), id }),
  v.strictObject({
    type: v.literal("archive"),
    kind: v.optional(v.picklist(["task", "execution"])),
    prefix: v.optional(v.pipe(v.string(), v.maxLength(300))),
    after: v.optional(v.pipe(v.string(), v.maxLength(300))),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000))),
  }),
  v.strictObject({
    type: v.literal("dead-letters"),
    task: v.optional(v.pipe(v.string(), v.maxLength(64))),
    after: v.optional(v.pipe(v.string(), v.maxLength(300))),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(200))),
  }),
  v.strictObject({
    type: v.literal("stream"),
    task: v.pipe(v.string(), v.minLength(1), v.maxLength(300)),
    channel: v.picklist(["stream", "log"]),
    reader: id,
    from: count,
    attempt: count,
  }),
  /** Who is at the page; nobody when it names none. */
  v.strictObject({
    type: v.literal("identify"),
    id: v.optional(id),
    roles: v.optional(v.pipe(v.array(id), v.maxLength(100))),
    token: v.optional(v.pipe(v.string(), v.maxLength(16_384))),
  }),
  /** The key that an approver signs with. */
  v.strictObject({ type: v.literal("approver"), ...ApproverRegisterSchema.entries }),
  /** A signed answer. */
  v.strictObject({
    type: v.literal("decide"),
    answer: ApprovalAnswerSchema,
    signature: v.pipe(v.string(), v.maxLength(1_024)),
  }),
  /** Lines of the audit log behind the n-th; without a number where it ends. With `batches`: digests of the journal's, behind an event. */
  v.strictObject({ type: v.literal("audit"), after: v.optional(count), batches: v.optional(v.boolean()) }),
  v.strictObject({ type: v.literal("mail.take"), ...MailQuerySchema.entries }),
  /** Messages that were given up, newest first, older than the one that is named. */
  v.strictObject({
    type: v.literal("mail.dead"),
    recipient: v.optional(id),
    after: v.optional(v.pipe(v.string(), v.maxLength(450))),
    limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000))),
  }),
  v.strictObject({ type: v.literal("schedules") }),
  v.strictObject({ type: v.literal("versions"), workflow: id }),
  v.strictObject({ type: v.literal("migration"), id, version: id }),
  v.strictObject({ type: v.literal("why"), id }),
  v.strictObject({ type: v.literal("standing"), id, within: v.optional(v.boolean()) }),
  v.strictObject({ type: v.literal("explain"), requirement: v.strictObject(requirementFields) }),
  v.strictObject({ type: v.literal("secret.set"), name: SecretNameSchema, value: SecretValueSchema }),
  v.strictObject({ type: v.literal("secret.delete"), name: SecretNameSchema }),
  v.strictObject({ type: v.literal("secret.list") }),
  v.strictObject({ type: v.literal("blob.read"), blob: BlobRefSchema.entries.blob, offset: count, size: count }),
  v.strictObject({
    type: v.literal("blob.write"),
    owner: id,
    bytes: v.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
]);
export type Query = v.InferOutput<typeof QuerySchema>;

export type StreamChannel = Extract<Query, { readonly type: "stream" }>["channel"];

/** A piece of what a task streams or logs. */
export interface StreamPage {
  readonly attempt: number;
  /** The offset of the first item: more than was asked for when the items before are gone. */
  readonly from: number;
  readonly items: readonly JsonText[];
  /** The task has ended, and nothing follows these items. */
  readonly ended: boolean;
}

/** Progress of an attempt, and lines of its log: they pass by and are not kept. */
export type Signal =
  | {
      readonly kind: "progress";
      readonly task: string;
      readonly attempt: number;
      readonly fraction: number;
      readonly note?: string | undefined;
    }
  | {
      readonly kind: "log";
      readonly task: string;
      readonly attempt: number;
      readonly level: "debug" | "info" | "warn" | "error";
      readonly message: string;
    };

/** Where a host's frame comes from. */
export interface Origin {
  readonly database: string;
  readonly epoch: number;
  /** Sequence number of the last durable event. */
  readonly seq: number;
}

/** Where a host runs: in a SharedWorker, in a worker of the tab that was elected, or in a page itself. */
export type HostPlace = "shared" | "elected" | "page";

/** From the host to a page. */
export type HostFrame = { readonly origin: Origin } & (
  | {
      /** What is to be seen of the durable state, see {@link PicturePart}; batches follow. */
      readonly kind: "welcome";
      /** The number of the hello that it answers. */
      readonly number: number;
      readonly place: HostPlace;
      readonly protocol: number;
      readonly version: string;
      /** The number that the state is at; the origin may be further already. */
      readonly seq: number;
      readonly state: JsonText;
      /** The page's commands up to this number are decided; these of them were refused. */
      readonly mark: number;
      readonly refused: readonly (readonly [number, ErrorData])[];
      /** The page's workers that this host knows. */
      readonly links: readonly string[];
    }
  | {
      readonly kind: "batch";
      readonly from: number;
      readonly to: number;
      readonly parts: readonly EncodedPart[];
      /** The events, for a page that listens. */
      readonly text?: JsonText | undefined;
    }
  | {
      readonly kind: "replies";
      readonly mark: number;
      readonly refused: readonly (readonly [number, ErrorData])[];
    }
  | { readonly kind: "signals"; readonly signals: readonly Signal[] }
  | {
      readonly kind: "answer";
      readonly call: number;
      readonly value?: unknown;
      readonly error?: ErrorData | undefined;
    }
  /** Start a worker for the agent under this link id, or end one. */
  | { readonly kind: "spawn"; readonly link: string; readonly agent: string }
  | { readonly kind: "kill"; readonly link: string }
  | { readonly kind: "relay"; readonly link: string; readonly frames: unknown }
  /** The host stops: why. A page looks for another one, unless it can't ever talk to any (`host/incompatible`). */
  | { readonly kind: "stopped"; readonly error: ErrorData }
);

/** How a page reaches its host: posts frames, hears frames. */
export interface Wire {
  /** False when ports can't be transferred along; agents' frames are then relayed. */
  readonly ports: boolean;
  post(frame: unknown, transfer?: readonly unknown[]): void;
  close(): void;
}
