// A program over the types of our SDL: what it sends and what it reads is checked by the compiler, then by the service.

import { Client, fetchExchange } from "@urql/core";

import { ComingDocument, DraftDocument, ListenDocument, SignInDocument } from "./operations.gen.ts";
import type { EventStatus } from "./schema.gen.ts";

const url = `${process.env["MUSTER_ADDRESS"]}/graphql`;

function clientOf(token?: string): Client {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Client({ url, fetchOptions: { headers }, exchanges: [fetchExchange] });
}

const signedIn = await clientOf().mutation(SignInDocument, { name: "Grete" });
const token = signedIn.data?.devLogin?.accessToken;
if (token === undefined) throw signedIn.error ?? new Error("no token");
const client = clientOf(token);

const drafted = await client.mutation(DraftDocument, {
  input: {
    title: "Go in the library",
    startsAt: "2040-06-01T18:00:00+02:00",
    endsAt: "2040-06-01T21:00:00+02:00",
    timezone: "Europe/Warsaw",
    meetingKind: "ONLINE",
    onlineUrl: "https://meet.example/go",
  },
});
const status: EventStatus | undefined = drafted.data?.createEvent?.status;

const coming = await client.query(ComingDocument, { filter: { meetingKind: ["ONLINE"] } });
const found = coming.data?.events.nodes.map(({ title, latitude, owner }): [string, number | null, string] => [
  title,
  latitude ?? null,
  owner.name,
]);

// What the compiler must refuse. Where it does not, the unused directive is itself an error.
export const refusals = () => [
  // @ts-expect-error a name is text
  client.mutation(SignInDocument, { name: 1 }),
  // @ts-expect-error there is no such kind of meeting
  client.query(ComingDocument, { filter: { meetingKind: ["NOWHERE"] } }),
  // @ts-expect-error a room must be named
  client.subscription(ListenDocument, {}),
  // @ts-expect-error nobody asked for the description
  coming.data?.events.nodes[0]?.description,
];

console.log(JSON.stringify({ name: signedIn.data?.devLogin?.user?.name, status, found }));
