/** What of approvals takes more than the core: finding out who is there, and whether a signature is genuine. */
import type { ApprovalCommands } from "../core/approvals/approval.ts";
import type { PublicKey } from "../core/approvals/key.ts";
import { algorithmOf, statementOf } from "../core/approvals/statement.ts";
import type { Engine } from "../core/engine.ts";
import { decodeError, RuntimeError } from "../core/errors.ts";
import type { Actor } from "../core/hosting/hosting.ts";
import { decodeJson } from "../core/json.ts";
import { isSpilled } from "../core/payload/reference.ts";
import type { Query } from "../core/protocol.ts";
import type { CoreCommand } from "../core/runtime.ts";

/** Who a page says is there, and what should prove it. */
export interface IdentityClaim {
  readonly id?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly token?: string | undefined;
}

/** Tells who it is; undefined when the claim isn't proved. */
export type Identify = (claim: IdentityClaim) => Promise<Pick<Actor, "id" | "roles"> | undefined>;

export interface ApprovingParts {
  readonly engine: Engine;
  readonly identify?: Identify | undefined;
}

type Asked<T extends Query["type"]> = Omit<Extract<Query, { readonly type: T }>, "type">;

/** How the audit log and mailboxes call the page of a session. */
export function pageOf(session: string): string {
  return `page:${session}`;
}

/** Who is at the page, where that is known. */
export function actorOf({ state }: Engine, session: string): Actor | undefined {
  return state.hosting.sessions.get(session)?.actor;
}

/** @throws RuntimeError `approval/untrusted` when the claim isn't proved */
export async function identifySession(
  { engine, identify }: ApprovingParts,
  session: string,
  { id: named, roles: held, token }: Asked<"identify">,
): Promise<Actor | undefined> {
  const claim = { id: named, roles: held, token };
  const isGone = claim.id === undefined && claim.token === undefined;
  const found = isGone ? undefined : await identify?.(claim);
  const { id, roles = [] } = identify ? (found ?? {}) : claim;
  if (!id && !isGone) throw new RuntimeError("approval/untrusted", { id: claim.id, expected: "a proof" });
  const actor = id === undefined ? undefined : ({ id, roles: [...roles], level: found ? "session" : "click" } as const);
  submit(engine, session, { type: "session.identify", data: { session, ...(actor && { actor }) } });
  return actor;
}

/** @throws RuntimeError `command/invalid` when it is no key, `approval/…` */
export async function registerKey(
  { engine }: ApprovingParts,
  session: string,
  asked: Asked<"approver">,
): Promise<void> {
  await importKey(asked.key).catch((cause: unknown) => {
    throw new RuntimeError("command/invalid", { at: "key", expected: "a public key" }, { cause });
  });
  const actor = actorOf(engine, session);
  submit(engine, session, { type: "approver.register", data: { ...asked, ...(actor && { actor }) } });
}

/** Takes a signed answer. What it is about may change while the signature is looked at; then it is looked at again. */
export async function decideSigned(
  { engine }: ApprovingParts,
  session: string,
  { answer: given, signature }: Asked<"decide">,
): Promise<void> {
  const { approvals, keys } = engine.state.approvals;
  const actor = actorOf(engine, session);
  const answer = { ...given, by: given.by ?? actor?.id };
  for (;;) {
    const [approval, known] = [approvals.get(answer.id), keys.get(answer.by ?? "")];
    const payload =
      approval && (isSpilled(approval.payload) ? approval.payload : JSON.stringify(decodeJson(approval.payload)));
    const genuine =
      approval && known && payload !== undefined
        ? await isGenuine(known.key, signature, statementOf(approval, payload, answer))
        : false;
    if (approvals.get(answer.id) !== approval || keys.get(answer.by ?? "") !== known) continue;
    const proof = { signature, genuine, session, ...(known && { key: known.key }) };
    const data: ApprovalCommands["approval.answer"] = { ...answer, proof, ...(actor && { actor }) };
    submit(engine, session, { type: "approval.answer", data });
    return;
  }
}

/** The refusal, too, leaves only when the journal has it: whoever asks waits for that in any case. */
function submit(engine: Engine, session: string, command: CoreCommand): void {
  const [refusal] = engine.submit([command], pageOf(session));
  if (refusal) throw decodeError(refusal[1]);
}

async function isGenuine(key: PublicKey, signature: string, statement: string): Promise<boolean> {
  try {
    const bytes = Uint8Array.from(atob(signature), (character) => character.charCodeAt(0));
    return await crypto.subtle.verify(
      algorithmOf(key),
      await importKey(key),
      bytes,
      new TextEncoder().encode(statement),
    );
  } catch {
    return false; // not even the form of one
  }
}

function importKey(key: PublicKey): Promise<CryptoKey> {
  return crypto.subtle.importKey("jwk", key, algorithmOf(key), false, ["verify"]);
}
