// Read pictures as JSON, `{where: text}`, and print those that Mermaid cannot draw, with its reason.

import { readFile } from "node:fs/promises";

import { JSDOM } from "jsdom";

const { window } = new JSDOM();
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");

const pictures = JSON.parse(await readFile("pictures.json", "utf8"));
const faults = {};
for (const [where, text] of Object.entries(pictures)) {
  await mermaid.parse(text).catch((error) => { faults[where] = error.message; });
}
console.log(JSON.stringify(faults));
