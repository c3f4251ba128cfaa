/** Conditions and mappings in a subset of CEL. */
export type { Ast as ExpressionAst } from "./ast.ts";
export { costOf } from "./cost.ts";
export { evaluateExpression, parseExpression } from "./expression.ts";
export { DEFAULT_FUEL } from "./fuel.ts";
export type { EvaluateOptions, Expression, ParseOptions } from "./expression.ts";
export type { FailureReason as ExpressionFailureReason } from "./faults.ts";
