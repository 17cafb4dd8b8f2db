// A real OpenID provider (npm: oidc-provider) on a free port of 127.0.0.1, with keys of its own.
// Prints one line of JSON with its issuer, and runs until its standard input ends.
//
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const key = (kind, options, kid, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig',
});
const client = (id, alg) => ({
  client_id: id,
  token_endpoint_auth_method: 'none',
  redirect_uris: ['http://127.0.0.1:9/done'],
  id_token_signed_response_alg: alg,
});

const server = createServer((request, response) => handle(request, response));
let handle;
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [client('studio-rs256', 'RS256'), client('studio-es256', 'ES256'),
      client('studio-eddsa', 'EdDSA'), client('somebody-else', 'RS256')],
    jwks: {
      keys: [key('rsa', { modulusLength: 2048 }, 'rsa-1', 'RS256'),
        key('ec', { namedCurve: 'P-256' }, 'ec-1', 'ES256'),
        key('ed25519', {}, 'ed-1', 'EdDSA')],
    },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, email: `${sub}@example.com`, email_verified: true }),
    }),
    cookies: { keys: ['for a test'] },
    ttl: { IdToken: 3600, AccessToken: 3600, Interaction: 600, Session: 600, Grant: 600 },
  });
  handle = provider.callback();
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
