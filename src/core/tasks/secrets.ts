/** Secrets that a task is given: by name. Their values are put in when an attempt is handed over, and nowhere else. */
import * as v from "valibot";

export const SecretNameSchema = v.pipe(
  v.string(),
  v.regex(/^[\w.-]{1,64}$/u, "1 to 64 letters, digits, '.', '_' or '-'"),
);

/** What is shorter would be found where it isn't meant, in whatever its task says. */
const MIN_VALUE = 8;

export const SecretValueSchema = v.pipe(
  v.string(),
  v.minLength(MIN_VALUE, "a secret has at least 8 characters"),
  v.maxLength(65_536, "a secret has at most 65,536 characters"),
);

/** A place in the input, by keys of objects and places of lists, where the secret of the name stands; `[]`: all of it. */
export const SecretUseSchema = v.strictObject({
  name: SecretNameSchema,
  at: v.pipe(
    v.array(v.union([v.pipe(v.string(), v.maxLength(1_000)), v.pipe(v.number(), v.safeInteger(), v.minValue(0))])),
    v.maxLength(32),
  ),
});
export type SecretUse = v.InferOutput<typeof SecretUseSchema>;

/** What stands for a secret wherever its value must not be. Nothing follows from its text: only a task's uses count. */
export function markOf(name: string): string {
  return `[secret ${name}]`;
}
