// Which tokens does a real OpenID provider issue?
//
// oidc-provider with client credentials, JWT access tokens and three signing keys, on a free port of
// loopback. Prints its issuer as one line of JSON when it listens; ends when its standard input ends.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const AUDIENCE = 'gateway';

function signingKey(alg) {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig' };
}

const resource = (alg) => ({
  audience: AUDIENCE,
  accessTokenFormat: 'jwt',
  accessTokenTTL: 300,
  scope: 'read',
  jwt: { sign: { alg } },
});

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys: ['RS256', 'ES256', 'PS256'].map(signingKey) },
    clients: [
      {
        client_id: 'reports',
        client_secret: 'reports-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    extraTokenClaims: () => ({ org: 'prov/civil', realm_access: { roles: ['reader'] } }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:gateway:RS256',
        getResourceServerInfo: (_, indicator) => resource(indicator.split(':').pop()),
      },
    },
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});

process.stdin.on('end', () => process.exit(0)).resume();
