/** Secrets are set, listed by name and deleted; a value goes to the host and never comes back. Loaded with the first call. */
import { RuntimeError } from "../core/errors.ts";
import type { Connection } from "./connection.ts";

type Asker = Pick<Connection, "ask">;

/** @throws RuntimeError `secret/invalid`, `secret/unavailable` */
export async function setSecret({ ask }: Asker, name: string, value: string): Promise<void> {
  const expected =
    typeof name === "string" && /^[\w.-]{1,64}$/u.test(name)
      ? "a text of 8 to 65,536 characters"
      : "a name of 1 to 64 letters, digits, '.', '_' or '-'";
  if (!expected.startsWith("a text") || typeof value !== "string" || value.length < 8 || value.length > 65_536)
    throw new RuntimeError("secret/invalid", { secret: typeof name === "string" ? name : typeof name, expected }); // the host's refusal might quote it
  await ask({ type: "secret.set", name, value });
}

export async function listSecrets({ ask }: Asker): Promise<readonly string[]> {
  return (await ask({ type: "secret.list" })) as readonly string[];
}

/** @throws RuntimeError `secret/unknown` */
export async function deleteSecret({ ask }: Asker, name: string): Promise<void> {
  await ask({ type: "secret.delete", name });
}
