/** Why a command can't be done, in one sentence for the person who typed it. */
export class Refusal extends Error {
  /** @override */
  name = "Refusal";
}
