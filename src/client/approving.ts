/** Who is at the page, delegations, and signed answers. Loaded with the first call. */
import type { ApprovalAnswer } from "../core/approvals/approval.ts";
import { statementOf } from "../core/approvals/statement.ts";
import { encodeJson, type JsonText } from "../core/json.ts";
import type { Actor } from "../core/hosting/hosting.ts";
import type { Query } from "../core/protocol.ts";
import type { AnswerInput, ApproverOptions, Claim, DelegationInput, Signer } from "./approval-types.ts";
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
  { ask }: Asker,
  shown: ApprovalView,
  { data, edits, ...rest }: AnswerInput,
  { id: by, sign }: Signer,
): Promise<void> {
  const { id, payload, revision } = shown;
  const answer: ApprovalAnswer = {
    by,
    ...rest,
    id,
    ...(revision !== undefined && { revision }),
    ...(data !== undefined && { data: encodeJson(data, "data") }),
    ...(edits !== undefined && { edits: encodeJson(edits, "edits") }),
  };
  const text: JsonText = spilledText(payload) ?? JSON.stringify(payload);
  const signature = await sign(statementOf(shown, text, answer));
  const query: Query = { type: "decide", answer, signature };
  await ask(query);
}
