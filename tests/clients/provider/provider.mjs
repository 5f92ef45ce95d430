// A provider of OpenID Connect on the loopback, by the library oidc-provider. People sign in by name, with any password.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { PORT, REDIRECT } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: "muster", client_secret: "a secret of the tests", redirect_uris: [REDIRECT] }],
  claims: { email: ["email", "email_verified"], profile: ["name"] },
  pkce: { required: () => true },
  cookies: { keys: ["a key of the tests"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `${id} at the provider`,
      email: `${id}@example.org`,
      email_verified: !id.startsWith("unverified"),
    }),
  }),
});

createServer(provider.callback()).listen(PORT, "127.0.0.1", () => console.log(issuer));
