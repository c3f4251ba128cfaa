/** Mailboxes, from a page. Loaded with the first call. */
import { RuntimeError } from "../core/errors.ts";
import { decodeJson, encodeJson } from "../core/json.ts";
import type { Delivery } from "../core/mail/delivery.ts";
import { draftOf, receivedOf, type OutgoingMessage, type ReceivedMessage } from "../core/mail/exchange.ts";
import type { DeadMail } from "../core/mail/mail.ts";
import { MessageType } from "../core/mail/message-type.ts";
import type { PageRequest } from "../core/protocol.ts";
import type { AnswerInput } from "./approval-types.ts";
import { tellSigned } from "./approving.ts";
import type { Connection } from "./connection.ts";
import { isolated } from "./isolated.ts";
import type { DeadMessage, MessageCalls } from "./mail-types.ts";
import type { ApprovalView, Runtime } from "./runtime.ts";

type Calls = MessageCalls["messages"];

/** What an answer to an approval takes. */
interface Answering {
  readonly approvals: () => ReadonlyMap<string, ApprovalView>;
  readonly answer: Runtime["answer"];
}

export async function sendMessage(
  connection: Connection,
  answering: Answering,
  message: OutgoingMessage,
): Promise<string> {
  if (message.type === MessageType.HUMAN_APPROVAL_RESPONSE) return answerApproval(connection, answering, message);
  const data = draftOf(message, () => crypto.randomUUID());
  await settle(connection, { type: "mail.send", data });
  return data.id;
}

interface Said extends AnswerInput {
  readonly approver?: string;
  readonly signature?: string;
}

/** The one way to decide: what `runtime.answer` does. */
async function answerApproval(
  connection: Connection,
  { approvals, answer }: Answering,
  { recipient, correlation, payload }: OutgoingMessage,
): Promise<string> {
  const id = correlation ?? onlyOneOf(approvals(), recipient);
  const { approver, signature, ...rest } = Object(payload) as Said;
  const said = { ...rest, ...(approver !== undefined && { by: approver }) }; // the host checks it
  if (signature === undefined) {
    answer(id, said);
    await connection.outbox.settled(id);
  } else await tellSigned(connection, id, said, signature);
  return id;
}

function onlyOneOf(approvals: ReadonlyMap<string, ApprovalView>, sender: string | undefined): string {
  const asked = [...approvals.values()].filter((one) => {
    const { id, execution, node, sender: own } = one as ApprovalView & { readonly sender?: string };
    return sender !== undefined && [id, own, execution, `${execution ?? ""}/${node ?? ""}`].includes(sender);
  });
  // One that isn't open any more is refused by the host, which records it.
  if (sender !== undefined && asked.length < 2) return asked[0]?.id ?? sender;
  throw new RuntimeError("approval/unknown", { recipient: sender, open: asked.map(({ id }) => id) });
}

export async function take(
  connection: Connection,
  recipient: string,
  { max = 1, wait = 0 }: { readonly max?: number; readonly wait?: number } = {},
): Promise<readonly ReceivedMessage[]> {
  const list = (await connection.ask({ type: "mail.take", recipient, max, wait })) as readonly Delivery[];
  return list.map((delivery) => receivedOf(delivery, (type, data) => settle(connection, { type, data })));
}

/** So long a page waits for messages before it asks again, and for a host before it looks again. */
const PATIENCE = 20_000;
const PAUSE = 500;

export function receive(
  connection: Connection,
  recipient: string,
  handler: Parameters<Calls["receive"]>[1],
  { concurrency = 1 }: { readonly concurrency?: number } = {},
): Promise<() => void> {
  const life = { ended: false };
  const handle = async (message: ReceivedMessage): Promise<void> => {
    try {
      await handler(message);
    } catch (error) {
      isolated(() => {
        throw error;
      });
      await message.nak();
      return;
    }
    await message.ack();
  };
  const loop = async (): Promise<void> => {
    while (!life.ended) {
      try {
        const found = await take(connection, recipient, { max: concurrency, wait: PATIENCE });
        // an answer that came too late is refused: then it is delivered again
        await Promise.allSettled(found.map(handle));
      } catch (error) {
        if (error instanceof RuntimeError && error.code === "runtime/closed") return;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  };
  void loop();
  return Promise.resolve(() => {
    life.ended = true;
  });
}

export function subscribe(connection: Connection, topic: string, recipient: string): Promise<void> {
  return settle(connection, { type: "mail.subscribe", data: { topic, recipient } });
}

export function unsubscribe(connection: Connection, topic: string, recipient: string): Promise<void> {
  return settle(connection, { type: "mail.unsubscribe", data: { topic, recipient } });
}

export async function define(connection: Connection, name: string, schema: unknown): Promise<void> {
  return settle(connection, { type: "mail.define", data: { name, schema: encodeJson(schema, "schema") } });
}

export async function deadMessages(
  { ask }: Connection,
  query: Parameters<Calls["deadLetters"]>[0] = {},
): Promise<readonly DeadMessage[]> {
  const list = (await ask({ type: "mail.dead", ...query })) as readonly DeadMail[];
  return list.map(({ payload, ...rest }) => ({ ...rest, payload: decodeJson(payload) }));
}

export function replay(connection: Connection, id: string): Promise<void> {
  return settle(connection, { type: "mail.replay", data: { id } });
}

let asked = 0;

function settle({ command, outbox }: Connection, request: PageRequest): Promise<void> {
  const id = `mail ${String(++asked)}`; // for this page's own bookkeeping
  command(id, request);
  return outbox.settled(id);
}
