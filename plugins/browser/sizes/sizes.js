/** Print the sizes of programs that send one event, each with another client, bundled in one run. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build, version } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const ours = JSON.stringify(join(here, "..", "src", "index.js"));

const PROGRAMS = {
  "@eventtracking/browser": `
    import { Tracker } from ${ours};
    new Tracker({ endpoint: "/e", key: "k" }).emit("a", { n: 1 });`,
  "@opentelemetry/sdk-logs": `
    import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
    import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
    const exporter = new OTLPLogExporter({ url: "/v1/logs" });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
    provider.getLogger("l").emit({ eventName: "a", attributes: { n: 1 } });`,
  "@snowplow/browser-tracker": `
    import { newTracker, trackSelfDescribingEvent } from "@snowplow/browser-tracker";
    newTracker("t", "https://example.org", { appId: "a" });
    trackSelfDescribingEvent({ event: { schema: "iglu:a/a/jsonschema/1-0-0", data: { n: 1 } } });`,
  "@segment/analytics-next": `
    import { AnalyticsBrowser } from "@segment/analytics-next";
    AnalyticsBrowser.load({ writeKey: "k" }).track("a", { n: 1 });`,
  "posthog-js": `
    import posthog from "posthog-js";
    posthog.init("k", { api_host: "https://example.org" });
    posthog.capture("a", { n: 1 });`,
};

const read = (...path) => JSON.parse(readFileSync(join(here, ...path), "utf8"));
const versions = { ...read("package.json").dependencies };
versions["@eventtracking/browser"] = read("..", "package.json").version;
const kib = (bytes) => (bytes.length / 1024).toFixed(1);

console.log(`esbuild ${version}, ${new Date().toISOString().slice(0, 10)}, KiB\n`);
console.log("| client | version | minified | gzip | brotli |\n| --- | --- | ---: | ---: | ---: |");
for (const [name, contents] of Object.entries(PROGRAMS)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    legalComments: "none",
    write: false,
  });
  const code = outputFiles[0].contents;
  const sizes = [code, gzipSync(code, { level: 9 }), brotliCompressSync(code)].map(kib);
  console.log(`| ${name} | ${versions[name]} | ${sizes.join(" | ")} |`);
}
