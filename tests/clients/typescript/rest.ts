// A program over the types of our OpenAPI document.

import createClient from "openapi-fetch";

import type { components, paths } from "./rest.gen.ts";

type Event = components["schemas"]["Event"];

const client = createClient<paths>({ baseUrl: process.env["MUSTER_ADDRESS"] ?? "" });

const session = await client.POST("/api/v1/auth/dev-login", { body: { name: "Rosa" } });
if (session.data === undefined) throw new Error(session.error.detail);
const token = session.data.accessToken;
client.use({
  onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${token}`);
    return request;
  },
});

const drafted = await client.POST("/api/v1/events", {
  body: {
    title: "Go in the library",
    startsAt: "2040-06-01T18:00:00+02:00",
    endsAt: "2040-06-01T21:00:00+02:00",
    timezone: "Europe/Warsaw",
    meetingKind: "ONSITE",
    latitude: 52.2,
    longitude: 21,
  },
});
if (drafted.data === undefined) throw new Error(drafted.error.detail);
const path = { id: drafted.data.id };
const status: Event["status"] = drafted.data.status;
await client.POST("/api/v1/events/{id}/publication", { params: { path } });

const listed = await client.GET("/api/v1/events", { params: { query: { meetingKind: ["ONSITE"], first: 5 } } });
const found = listed.data?.items.map(({ title, max, owner }): [string, number | null, string] => [title, max, owner.name]);

const refused = await client.GET("/api/v1/events/{id}", { params: { path: { id: crypto.randomUUID() } } });
const code: string | undefined = refused.error?.code;

// What the compiler must refuse. Where it does not, the unused directive is itself an error.
export const refusals = () => [
  // @ts-expect-error a name is text
  client.POST("/api/v1/auth/dev-login", { body: { name: 1 } }),
  // @ts-expect-error there is no such kind of meeting
  client.GET("/api/v1/events", { params: { query: { meetingKind: ["NOWHERE"] } } }),
  // @ts-expect-error an event has no such field
  drafted.data.colour,
];

console.log(JSON.stringify({ name: session.data.user?.name, status, found, code }));
