// A real OpenID provider (oidc-provider, certified by the OpenID Foundation) on this machine, for the tests of sign-in.
// In: a port, the portal's callback address, the people's groups as JSON. Out: "ready" once it listens.
import Provider from "oidc-provider";

const [port, callback, people] = process.argv.slice(2);
const groups = JSON.parse(people);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { client_id: "ops", client_secret: "a secret of this test", redirect_uris: [callback], grant_types: ["authorization_code"] },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email", "email_verified"] },
  conformIdTokenClaims: false,
  cookies: { keys: ["of this test alone"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      preferred_username: id,
      email: `${id}@example.com`,
      email_verified: true,
      groups: groups[id] ?? [],
    }),
  }),
  pkce: { required: () => true },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
