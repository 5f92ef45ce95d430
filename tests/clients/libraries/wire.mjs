// What the client libraries share: the socket under them, which a test can cut, and how a stream survives that.

import { createClient } from "graphql-ws";
import WebSocket from "ws";

const address = `${process.env.MUSTER_ADDRESS}/graphql`;

export const url = address;

/**
 * A graphql-ws client and the means to cut its connection as a dead network does: no close frame, no goodbye.
 *
 * authorization: gives the header of whoever is signed in by then. mended: settles when the network is back; until then
 * the client waits with its next try.
 */
export function socketClient(authorization, mended) {
  let socket;
  const client = createClient({
    url: address.replace("http", "ws"),
    connectionParams: () => ({ authorization: authorization() }),
    webSocketImpl: class extends WebSocket {
      constructor(...given) {
        super(...given);
        socket = this;
      }
    },
    retryWait: mended,
  });
  return { client: resuming(client), cut: () => socket.terminate() };
}

/** The same client, of graphql-ws or graphql-sse; after a cut its subscriptions go on behind the last element they gave. */
export function resuming(client) {
  return {
    ...client,
    subscribe(payload, sink) {
      const variables = { ...payload.variables };
      const next = (result) => {
        for (const element of Object.values(result.data ?? {})) variables.after = element.cursor;
        sink.next(result);
      };
      return client.subscribe({ ...payload, variables }, { ...sink, next });
    },
  };
}
