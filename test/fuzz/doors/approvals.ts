/** Answers to approvals by every door that there is: commands, mail, signed answers, and claims of who is there. */
import type { PublicKey } from "../../../src/core/approvals/key.ts";
import { algorithmOf, statementOf } from "../../../src/core/approvals/statement.ts";
import type { ApprovalAnswer } from "../../../src/core/approvals/approval.ts";
import { PageCommandSchema, QuerySchema } from "../../../src/core/protocol.ts";
import { Finding, type Door } from "../door.ts";
import { checkRefusal, hintsOf } from "../scene.ts";
import { bend, bendText, drawFrom } from "../schema.ts";
import type { Stand } from "../stand.ts";
import type { Tape } from "../tape.ts";
import { judge, overScene } from "./pages.ts";

const keys = await Promise.all(
  (["Ed25519", "P-256"] as const).map(async (crv) => {
    const pair = (await crypto.subtle.generateKey(algorithmOf({ crv }), true, ["sign", "verify"])) as CryptoKeyPair;
    const { kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const key = { kty, crv, x, ...(y !== undefined && { y }) } as PublicKey;
    return { key, sign: pair.privateKey };
  }),
);

/** Signatures that were really made, with what they are for. */
const made = new Map<string, string>();

function drawAnswer(stand: Stand, tape: Tape): ApprovalAnswer {
  const open = [...stand.engine.state.approvals.approvals.values()];
  const one = open.length > 0 && !tape.once(10) ? tape.pick(open) : undefined;
  const { approvals } = stand.engine.state.approvals;
  const edits = tape.once(4) ? { edits: tape.pick(['{"n":2,"s":"x"}', '{"n":"x"}', "{", '{"n":1,"s":"text"}']) } : {};
  const revision = one?.revision ?? 0;
  return {
    id: one?.id ?? tape.pick(["none", ...[...approvals.entries()].map(([id]) => id)]),
    approved: tape.once(2),
    by: tape.pick(["ann", "bob", "boss", "eve"]),
    ...(tape.once(2) && { reason: tape.pick(["", "because", " "]) }),
    ...edits,
    ...(revision > 0 && !tape.once(4) && { revision }),
  };
}

async function drawSigned(stand: Stand, tape: Tape): Promise<unknown> {
  const answer = drawAnswer(stand, tape);
  const approval = stand.engine.state.approvals.approvals.get(answer.id);
  const { sign, key } = tape.pick(keys);
  const payload = approval ? JSON.stringify(JSON.parse(approval.payload)) : "null";
  const statement = approval ? statementOf(approval, payload, answer) : "";
  const bytes = await crypto.subtle.sign(algorithmOf(key), sign, new TextEncoder().encode(statement));
  const signature = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  made.set(signature, statement);
  const query = { type: "decide", answer, signature: tape.once(4) ? bendText(tape, signature) : signature };
  if (tape.once(3)) return bend(tape, query);
  if (tape.once(3)) return { ...query, answer: { ...answer, ...drawAnswer(stand, tape) } }; // signed for something else
  if (tape.once(6)) return { ...query, signature: tape.pick([...made.keys()].slice(-20)) }; // an old one again
  return query;
}

async function drawQuery(stand: Stand, tape: Tape): Promise<unknown> {
  const hints = hintsOf(stand);
  switch (tape.below(5)) {
    case 0:
    case 1:
      return drawSigned(stand, tape);
    case 2: {
      const register = {
        type: "approver",
        id: tape.pick(["ann", "bob", "eve"]),
        key: tape.pick(keys).key,
        require: tape.once(3),
      };
      return tape.once(3) ? bend(tape, structuredClone(register)) : register;
    }
    case 3:
      return {
        type: "identify",
        id: tape.pick(["ann", "bob", "eve", ""]),
        roles: tape.pick([[], ["boss"], ["boss", "boss"]]),
      };
    default:
      return drawFrom(tape, QuerySchema, hints);
  }
}

function drawCommand(stand: Stand, tape: Tape): unknown {
  switch (tape.below(6)) {
    case 0:
    case 1:
    case 2:
      return { type: "approval.answer", data: drawAnswer(stand, tape) };
    case 3:
      return {
        type: "approval.delegate",
        data: {
          from: tape.pick(["ann", "bob", "boss"]),
          to: tape.pick(["eve", "bob"]),
          for: tape.pick([0, 1_000, 86_400_000]),
        },
      };
    case 4:
      return { type: "execution.start", data: { id: `g${String(stand.engine.head)}`, workflow: "gate", input: '"x"' } };
    default:
      return drawFrom(tape, PageCommandSchema, hintsOf(stand));
  }
}

export const approvals: Door = {
  name: "approvals",
  length: 30,
  open: overScene(async (stand, tape, look) => {
    const written = stand.events.length;
    if (tape.once(2)) {
      const drawn = drawCommand(stand, tape);
      const command = tape.once(4) ? bend(tape, drawn) : drawn;
      const before = stand.state();
      look.input(command);
      judge(stand, look, before, written, await stand.command(command));
    } else {
      const query = await drawQuery(stand, tape);
      look.input(query);
      const { answers } = await stand.ask(query);
      for (const { error } of answers) {
        if (error) checkRefusal(error);
        look.outcome(error?.code ?? "answered");
      }
    }
    checkVotes(stand, written);
  }),
};

/** Nobody is taken for somebody that they are not, and no signature for one that it isn't. */
function checkVotes(stand: Stand, written: number): void {
  for (const { type, data } of stand.events.slice(written)) {
    if (type !== "approval.voted" && type !== "approval.decided") continue;
    const { proof } = data;
    if (proof?.genuine === true && !made.get(proof.signature)?.includes(JSON.stringify(data.id)))
      throw new Finding("forged", JSON.stringify(data));
    const by = type === "approval.voted" ? data.vote.by : data.by;
    if (by === "eve" && type === "approval.voted" && data.vote.id === "eve" && !data.vote.roles.includes("boss"))
      throw new Finding("not asked", JSON.stringify(data));
  }
}
