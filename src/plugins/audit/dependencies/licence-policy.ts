/** Which licences may be used. */
import * as v from "valibot";

const ids = v.pipe(v.array(v.string()), v.readonly());

/** Licences by SPDX id. Whatever is neither allowed nor denied is to be looked at. */
export const LicencePolicySchema = v.strictObject({ allow: v.optional(ids), deny: v.optional(ids) });
export type LicencePolicy = v.InferOutput<typeof LicencePolicySchema>;

/** Licences that ask for no more than to be named. */
export const PERMISSIVE: readonly string[] =
  "MIT MIT-0 ISC 0BSD BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear Apache-2.0 Unlicense CC0-1.0 Zlib BlueOak-1.0.0 Python-2.0 PSF-2.0 CC-BY-3.0 CC-BY-4.0 WTFPL BSL-1.0 Artistic-2.0 X11 AFL-2.1 AFL-3.0 Ruby OFL-1.1 Unicode-DFS-2016 Unicode-3.0".split(
    " ",
  );
