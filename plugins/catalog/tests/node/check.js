// Hold exports to what npm's own tools say of them: AsyncAPI, JSON Schema, TypeScript.
// Usage: node check.js DIRECTORY, with asyncapi.json, jsonschema.json, events.json and events.ts

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import Ajv2020 from "ajv/dist/2020.js";
import ts from "typescript";

const directory = process.argv[2];
const read = (name) => readFileSync(join(directory, name), "utf8");
const found = {};

const { document, diagnostics } = await new Parser().parse(read("asyncapi.json"));
found.asyncapi = {
  version: document?.version(),
  messages: document?.messages().all().map((message) => message.name()),
  problems: diagnostics.filter((each) => each.severity < 2).map((each) => `${each.path.join(".")}: ${each.message}`),
};

const ajv = new Ajv2020.default({ strict: false, validateFormats: false });
const validate = ajv.compile(JSON.parse(read("jsonschema.json")));
found.jsonschema = JSON.parse(read("events.json")).map((event) => validate(event));

const program = ts.createProgram([join(directory, "events.ts")], {
  strict: true,
  noEmit: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
});
found.typescript = ts.getPreEmitDiagnostics(program).map((each) => ts.flattenDiagnosticMessageText(each.messageText, "\n"));

console.log(JSON.stringify(found));
