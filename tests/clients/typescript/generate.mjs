// What graphql-codegen's command line makes of schema.graphql and operations.graphql: schema.gen.ts, operations.gen.ts.

import { readFile, writeFile } from "node:fs/promises";

import { codegen } from "@graphql-codegen/core";
import * as documents from "@graphql-codegen/typed-document-node";
import * as types from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const here = (name) => new URL(name, import.meta.url);
const read = async (name) => parse(await readFile(here(name), "utf8"));

const schema = await read("schema.graphql");
const used = [{ location: "operations.graphql", document: await read("operations.graphql") }];
const scalars = { UUID: "string", DateTime: "string", Cursor: "string", JSON: "unknown" };
const config = { scalars, strictScalars: true, enumsAsTypes: true, useTypeImports: true };

async function write(filename, pluginMap, documents) {
  const plugins = Object.keys(pluginMap).map((name) => ({ [name]: {} }));
  await writeFile(here(filename), await codegen({ filename, schema, documents, config, plugins, pluginMap }));
}

await write("schema.gen.ts", { types }, []);
await write("operations.gen.ts", { operations, documents }, used);
