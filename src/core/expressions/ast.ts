/** The syntax tree of an expression: plain data. */
import type { Span } from "./faults.ts";

/** A value that can be written in the source. */
export type Literal = null | boolean | number | string;

/** One node of the tree. */
export interface Ast extends Span {
  /**
   * `literal`, `name`, `list`, `map`, `has`, `.` for a field, `[` for an index, `?` for a choice, an operator by its
   * symbol, a function by its name, or a macro as `each.filter`.
   */
  readonly op: string;
  /**
   * The parts in the order of the source; of a map keys and values by turns, of a method the receiver first, of a
   * macro the receiver, the variable as a literal, and the bodies.
   */
  readonly args: readonly Ast[];
  /** The value of a literal, the name of a name; otherwise null. */
  readonly value: Literal;
  /** 1, or one more than the highest part. */
  readonly height: number;
}
