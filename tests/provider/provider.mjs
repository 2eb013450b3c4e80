// An identity provider on loopback for the tests: oidc-provider, with sign-in made scriptable.
//
// The first line of stdin is a JSON object:
//   audience: the `aud` of access tokens; resource: how clients name it (RFC 8707);
//   algorithm: of all signatures; keys: key ids, the first of which signs;
//   clients: as RFC 7591 writes them.
// Each further line says some of these anew, with which the provider goes on as after a
// restart; a key id stands for one key as long as the process lives. Each line is answered
// by one, {"issuer": ...}. The process ends when stdin does.
//
// A person signs in by POST to the address that the interaction has, with the account and
// how they proved who they are. Nobody is asked for consent: the clients are the agency's own.

import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

import { exportJWK, generateKeyPair } from 'jose';
import Provider, { interactionPolicy } from 'oidc-provider';

const SCOPE = 'records';
const INTERACTION = '/interaction/';
/** Seconds that an access token is good for: tests let more time pass than keys are kept. */
const TOKEN_SECONDS = 3600;

// Stdout is for answers; the provider's own notices join its warnings.
console.info = console.warn;

const made = new Map();

async function key(kid, alg) {
  if (!made.has(kid)) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    made.set(kid, { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' });
  }
  return made.get(kid);
}

/** Ask to sign in again where the client asks for a context that the session lacks (RFC 9470, 4). */
function policy() {
  const { Check, base } = interactionPolicy;
  const prompts = base();
  prompts.get('login').checks.add(
    new Check('acr_values', 'the session is of a weaker sign-in', ({ oidc }) => {
      const asked = oidc.params.acr_values?.split(' ');
      return asked === undefined || asked.includes(oidc.acr)
        ? Check.NO_NEED_TO_PROMPT
        : Check.REQUEST_PROMPT;
    }),
  );
  return prompts;
}

async function granted({ oidc }) {
  const { client, session, provider, resourceServers } = oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid');
  for (const resource of Object.keys(resourceServers)) {
    grant.addResourceScope(resource, SCOPE);
  }
  await grant.save();
  return grant;
}

async function provider(issuer, { audience, resource, algorithm, keys, clients }) {
  return new Provider(issuer, {
    acrValues: ['pwd', 'phr'],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    clients,
    cookies: { keys: [crypto.randomUUID()] },
    enabledJWA: {
      dPoPSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: [algorithm],
    },
    // RFC 9068, 2.2.1: how and when the person signed in, of the session behind the code.
    extraTokenClaims({ oidc }) {
      const { acr, authTime: auth_time } = oidc.entities.AuthorizationCode ?? {};
      return { acr, auth_time };
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: (_ctx, named) => ({
          accessTokenFormat: 'jwt',
          accessTokenTTL: TOKEN_SECONDS,
          audience: named === resource ? audience : named,
          jwt: { sign: { alg: algorithm } },
          scope: SCOPE,
        }),
        useGrantedResource: () => true,
      },
    },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { policy: policy(), url: (_ctx, { uid }) => `${INTERACTION}${uid}` },
    jwks: { keys: await Promise.all(keys.map((kid) => key(kid, algorithm))) },
    loadExistingGrant: granted,
    pkce: { required: () => true },
    scopes: ['openid'],
  });
}

async function signIn(current, request, response) {
  const { prompt } = await current.interactionDetails(request, response);
  if (request.method !== 'POST') {
    response.end(JSON.stringify(prompt));
    return;
  }
  const form = new URLSearchParams((await buffer(request)).toString());
  const login = { accountId: form.get('account'), acr: form.get('acr') };
  await current.interactionFinished(request, response, { login });
}

const server = createServer((request, response) => {
  const answering = request.url.startsWith(INTERACTION)
    ? signIn(current, request, response)
    : current.callback()(request, response);
  answering.catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    response.destroy();
  });
});
let current;
let settings = {};

await new Promise((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const issuer = `http://127.0.0.1:${server.address().port}`;
for await (const line of createInterface({ input: process.stdin })) {
  settings = { ...settings, ...JSON.parse(line) };
  current = await provider(issuer, settings);
  process.stdout.write(`${JSON.stringify({ issuer })}\n`);
}
process.exit();
