// Which tokens does a real OpenID provider issue?
//
// oidc-provider on a free port of loopback: client credentials for a service, the authorization code flow
// for a person, JWT access tokens for `urn:AUDIENCE:ALG` or `urn:AUDIENCE:ALG:SECONDS`. Prints its issuer as
// one line of JSON when it listens. Then each line of standard input is done and answered:
//   rotate   replace all signing keys        down, up   answer the key set with 503, and again as usual
// It ends when its standard input ends.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';

function signingKey(alg) {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig' };
}

function resource(indicator) {
  const [, audience, alg, seconds] = indicator.split(':');
  return {
    audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: Number(seconds ?? 300),
    scope: 'read',
    jwt: { sign: { alg } },
  };
}

function claims(_, token) {
  if (!token.accountId) return { org: 'prov/civil', realm_access: { roles: ['reader'] } };
  return {
    org: 'prov/civil',
    realm_access: { roles: ['clerk'] },
    clearance: 'important',
    device_id: 'laptop-7',
    acr: 'urn:example:aal2',
    auth_time: Math.floor(Date.now() / 1000),
    sid: token.sessionUid,
  };
}

const answering = (issuer) =>
  new Provider(issuer, {
    jwks: { keys: ['RS256', 'ES256', 'PS256'].map(signingKey) },
    cookies: { keys: ['only for tests'] },
    clients: [
      {
        client_id: 'reports',
        client_secret: 'reports-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'portal',
        client_secret: 'portal-secret',
        application_type: 'native',
        grant_types: ['authorization_code'],
        redirect_uris: ['http://127.0.0.1/callback'],
        response_types: ['code'],
      },
    ],
    extraTokenClaims: claims,
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:gateway:RS256',
        getResourceServerInfo: (_, indicator) => resource(indicator),
      },
    },
  }).callback();

console.info = console.error; // where the provider gives its advice: standard output is for answers
const say = (value) => console.log(JSON.stringify(value));
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  let answer = answering(issuer);
  let down = false;
  server.on('request', (request, response) => {
    if (down && request.url === '/jwks') response.writeHead(503).end();
    else answer(request, response);
  });
  const acts = {
    rotate: () => (answer = answering(issuer)),
    down: () => (down = true),
    up: () => (down = false),
  };
  createInterface({ input: process.stdin })
    .on('line', (word) => {
      acts[word]();
      say({ done: word });
    })
    .on('close', () => process.exit(0));
  say({ issuer });
});
