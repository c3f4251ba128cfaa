/** Where an advisory can be read. */

/** The address of a rule that is an advisory of GitHub's database. */
export function advisoryOf(rule: string): string | undefined {
  const id = /^dependencies\/(GHSA(?:-[0-9a-z]{4}){3})$/u.exec(rule)?.[1];
  return id === undefined ? undefined : `https://github.com/advisories/${id}`;
}
