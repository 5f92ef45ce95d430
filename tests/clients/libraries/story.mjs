// One evening, the same for every client library: sign in, read, join, be refused, listen, lose the network, go on.

import { once, EventEmitter } from "node:events";

const PATIENCE = 20_000; // milliseconds until a story that hangs is a story that failed

const SIGN_IN = /* GraphQL */ `
  mutation SignIn($name: String!) {
    devLogin(name: $name) { accessToken user { ...Person } }
  }
  fragment Person on User { id name }
`;

const EVENT = /* GraphQL */ `
  query Event($id: UUID!, $first: Int = 1, $withOwner: Boolean!) {
    event(id: $id) { ...Card members(first: $first) { nodes { status user { ...Person } } pageInfo { hasNextPage } } }
  }
  fragment Card on Event { title joinedCount owner @include(if: $withOwner) { ...Person } }
  fragment Person on User { id name }
`;

const JOIN = /* GraphQL */ `
  mutation Join($id: UUID!) { joinEvent(eventId: $id) { id status } }
`;

const SAY = /* GraphQL */ `
  mutation Say($id: UUID!, $content: String!) { sendEventMessage(eventId: $id, content: $content) { id content } }
`;

const LISTEN = /* GraphQL */ `
  subscription Listen($id: UUID!, $after: Cursor) {
    eventMessageAdded(eventId: $id, after: $after) { cursor message { content author { name } } }
  }
`;

/**
 * Tell the story through one library and print what it saw as JSON.
 *
 * open: given `{authorization, mended}`, makes `{query, mutate, subscribe, cut, close}`. Each of the first two takes a
 * document and variables and gives the data, or throws what the library throws; `subscribe` calls the first function it
 * is given with the data of each element, the second with what the library says when the stream breaks. refusal: reads
 * the extensions of the first error out of either.
 */
export async function tell(open, refusal) {
  setTimeout(() => { throw new Error(`no end after ${PATIENCE} ms`); }, PATIENCE).unref();
  const id = process.env.MUSTER_EVENT;
  const network = new EventEmitter();
  let token;
  const library = open({
    authorization: () => (token ? `Bearer ${token}` : undefined),
    mended: () => once(network, "mended"),
  });
  const session = (await library.mutate(SIGN_IN, { name: process.env.MUSTER_NAME })).devLogin;
  token = session.accessToken;
  const joined = (await library.mutate(JOIN, { id })).joinEvent;
  const { event } = await library.query(EVENT, { id, first: 1, withOwner: true });
  const refused = await library.mutate(JOIN, { id: crypto.randomUUID() }).then(String, refusal);

  const nowhere = { id: crypto.randomUUID() };
  const deaf = refusal(await new Promise((resolve) => library.subscribe(LISTEN, nowhere, resolve, resolve)));

  const room = new Room(library, id);
  await room.enter();
  await room.say("one", "two");
  const heard = await room.heard(2);
  library.cut();
  await room.say("three", "four");
  network.emit("mended");
  const resumed = await room.heard(4);
  await library.close();
  console.log(JSON.stringify({ name: session.user.name, status: joined.status, event, refused, deaf, heard, resumed }));
}

/** A room that somebody listens to through a library. */
class Room {
  #heard = [];
  #arrivals = new EventEmitter();

  constructor(library, id) {
    this.library = library;
    this.id = id;
  }

  /** Listen from now on. A subscription says not when it has begun, so knock until a knock is heard. */
  async enter() {
    const hear = ({ eventMessageAdded: { message } }) => {
      this.#heard.push(message.content);
      this.#arrivals.emit("one");
    };
    const fail = (error) => { throw new Error("the stream broke", { cause: error }); };
    this.library.subscribe(LISTEN, { id: this.id }, hear, fail);
    while (!this.#heard.length) {
      const arrival = once(this.#arrivals, "one");
      await this.say("knock");
      await Promise.race([arrival, new Promise((resolve) => setTimeout(resolve, 250))]);
    }
  }

  /** Say something, one thing after the other. */
  async say(...contents) {
    for (const content of contents) await this.library.mutate(SAY, { id: this.id, content });
  }

  /** All that was heard besides knocks, as soon as it is this much. */
  async heard(count) {
    const words = () => this.#heard.filter((each) => each !== "knock");
    while (words().length < count) await once(this.#arrivals, "one");
    return words();
  }
}
