/** Who is at the page, delegations, and signed answers. Loaded with the first call. */
import type { ApprovalAnswer } from "../core/approvals/approval.ts";
import { statementOf } from "../core/approvals/statement.ts";
import { encodeJson, type JsonText } from "../core/json.ts";
import type { Actor } from "../core/hosting/hosting.ts";
import type { Query } from "../core/protocol.ts";
import type {
  AnswerInput,
  ApproverOptions,
  Claim,
  DelegationInput,
  SignedAnswerInput,
  Signer,
} from "./approval-types.ts";
import type { Connection } from "./connection.ts";
import type { ApprovalView } from "./runtime.ts";
import { spilledText } from "./views.ts";

type Asker = Pick<Connection, "ask">;

const latest = new WeakMap<Asker, Promise<unknown>>();

/** One after the other, so that who has gone isn't there again because an earlier claim took longer to prove. */
export async function identify(connection: Asker, claim?: Claim): Promise<Actor | undefined> {
  const { id, roles, token } = claim ?? {};
  const query = {
    type: "identify",
    ...(id !== undefined && { id }),
    ...(roles && { roles: [...roles] }),
    ...(token !== undefined && { token }),
  } as const;
  const before = latest.get(connection) ?? Promise.resolve();
  const asked = before.then(() => connection.ask(query));
  latest.set(
    connection,
    asked.catch(() => undefined),
  );
  return (await asked) as Actor | undefined;
}

export async function registerApprover(
  { ask }: Asker,
  { publicKey }: Pick<Signer, "publicKey">,
  { require = false, id }: ApproverOptions = {},
): Promise<void> {
  await ask({ type: "approver", key: publicKey, require, ...(id !== undefined && { id }) });
}

export async function delegate(
  { command, outbox }: Pick<Connection, "command" | "outbox">,
  { from, to, for: span }: DelegationInput,
): Promise<void> {
  const id = `delegation ${crypto.randomUUID()}`;
  command(id, { type: "approval.delegate", data: { to, for: span, ...(from !== undefined && { from }) } });
  return outbox.settled(id);
}

/** Signs the answer to the request as it was shown. */
export async function decide(
  connection: Asker,
  shown: ApprovalView,
  input: AnswerInput,
  signer: Signer,
): Promise<void> {
  const { signature, ...signed } = await signAnswer(shown, input, signer);
  await tellSigned(connection, shown.id, signed, signature);
}

/** The answer with the signature that it takes, as `sendMessage` has it in a payload. */
export async function signAnswer(
  shown: ApprovalView,
  input: AnswerInput,
  { id: by, sign }: Signer,
): Promise<SignedAnswerInput> {
  const { id, payload, revision } = shown;
  const signed = { by, ...input, ...(revision !== undefined && { revision }) };
  const text: JsonText = spilledText(payload) ?? JSON.stringify(payload);
  return { ...signed, signature: await sign(statementOf(shown, text, answerOf(id, signed))) };
}

/** @throws RuntimeError `approval/…` when it isn't taken */
export async function tellSigned({ ask }: Asker, id: string, input: AnswerInput, signature: string): Promise<void> {
  const query: Query = { type: "decide", answer: answerOf(id, input), signature };
  await ask(query);
}

function answerOf(id: string, { data, edits, ...rest }: AnswerInput): ApprovalAnswer {
  return {
    ...rest,
    id,
    ...(data !== undefined && { data: encodeJson(data, "data") }),
    ...(edits !== undefined && { edits: encodeJson(edits, "edits") }),
  };
}
