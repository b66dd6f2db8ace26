/** Build dist/: the classic script, the modules and the types. An argument names another directory. */

import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "dist"));
const common = { absWorkingDir: here, bundle: true, minify: true, target: "es2022", legalComments: "none" };

const bundle = (source, name, format) =>
  build({ ...common, entryPoints: [`src/${source}`], format, outfile: join(out, name) });

await bundle("script.js", "eventtracking.min.js", "iife");
await bundle("index.js", "eventtracking.js", "esm");
for (const helper of ["pages.js", "clicks.js", "vitals.js"]) await bundle(helper, helper, "esm");

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
execFileSync(process.execPath, [tsc, "--project", here, "--outDir", join(out, "types")], { stdio: "inherit" });

// What users of Python get.
if (!process.argv[2]) {
  for (const name of readdirSync(out).filter((name) => name.endsWith(".js"))) {
    copyFileSync(join(out, name), join(here, "../web/eventtracking_web/static", name));
  }
}
