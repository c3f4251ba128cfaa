/** How many decisions wait, in words. */
export function countOf(all: number, mine: number, isSomebody: boolean): string {
  const waits = (number: number): string => (number === 1 ? "1 decision waits" : `${String(number)} decisions wait`);
  if (all === 0) return "Nothing waits for a decision.";
  if (!isSomebody) return `${waits(all)}. Nobody is signed in here, so nobody can answer.`;
  if (mine === 0) return `Nothing waits for you. ${waits(all)} for others.`;
  return all === mine ? `${waits(mine)} for you.` : `${waits(mine)} for you, ${String(all - mine)} for others.`;
}
