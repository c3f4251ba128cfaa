/** The types of messages that there always are, and what they hold at least. */
import { RuntimeError } from "../errors.ts";
import { decodeJson, type JsonText } from "../json.ts";
import { checkSchema, findFlaw, type JsonSchema } from "../capabilities/schema.ts";

const object = (required: readonly string[], properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: "object",
  required,
  properties,
});
const text: JsonSchema = { type: "string", minLength: 1 };

const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  task_request: object(["capability"], { capability: text }),
  task_response: object([], { task: text, error: { type: ["object", "null"] } }),
  status_update: object(["status"], { status: text, progress: { type: "number", minimum: 0, maximum: 1 } }),
  error: object(["message"], { message: text, code: text }),
  human_approval_request: object(["message"], { message: text }),
  human_approval_response: object(["approved"], { approved: { type: "boolean" }, approver: text }),
  heartbeat: { type: ["object", "null"] },
  control: object(["action"], { action: text }),
};

/** The answer of a person is decided on (approvals/answer.ts); in a mailbox anybody could say that one has answered. */
const APPROVAL_RESPONSE = "human_approval_response";

export const isBuiltIn = (type: string): boolean => Object.hasOwn(SCHEMAS, type);

/** @throws RuntimeError `message/type-unknown`, `message/invalid` with the place, `json/…`, `approval/forbidden` */
export function checkPayload(type: string, payload: JsonText, own: JsonText | undefined): void {
  const schema = isBuiltIn(type) ? SCHEMAS[type] : own && (decodeJson(own) as JsonSchema);
  if (!schema) throw new RuntimeError("message/type-unknown", { type });
  const flaw = findFlaw(schema, decodeJson(payload, "payload"), "payload");
  if (flaw) throw new RuntimeError("message/invalid", { type, ...flaw });
  if (type === APPROVAL_RESPONSE) throw new RuntimeError("approval/forbidden", { type, at: "a mailbox" });
}

/** @throws RuntimeError `message/invalid`, `json/…`, and what is wrong with the schema */
export function checkType(name: string, schema: JsonText): void {
  if (isBuiltIn(name)) throw new RuntimeError("message/invalid", { type: name, expected: "a name that isn't taken" });
  checkSchema(decodeJson(schema, "schema"), "schema");
}
