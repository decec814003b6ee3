// SPDX-License-Identifier: Apache-2.0
// A usual day of node-vault, the client for Node.js: node_vault_day.js prints what each call gave, one line each. VAULT_ADDR, VAULT_TOKEN say
// where, NODE_EXTRA_CA_CERTS whom to trust; JWT is a service account token.
'use strict';
const nodeVault = require('node-vault');

// JSON with sorted keys.
function text(value) {
    return JSON.stringify(value, (_, v) => v && typeof v === 'object' && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v);
}

async function show(name, call) {
    try {
        const answer = await call();
        console.log(`${name}: ${text(answer === undefined ? null : answer)}`);
        return answer;
    } catch (error) {
        const body = error.response && error.response.body;
        console.log(`${name}: ${error.message} ${error.response ? error.response.statusCode : ''} ${text(body && body.errors)}`);
        return null;
    }
}

async function day() {
    const vault = nodeVault({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR, token: process.env.VAULT_TOKEN });
    await show('initialized', () => vault.initialized());
    await show('status', async () => (await vault.status()).sealed);
    await show('health', async () => Object.keys(await vault.health()).sort());
    await show('mounts', async () => Object.keys((await vault.mounts()).data).sort());
    await show('auths', async () => Object.keys((await vault.auths()).data).sort());

    await show('role', () => vault.write('auth/kubernetes/role/node', {
        bound_service_account_names: ['webapp-sa'], bound_service_account_namespaces: 'webapp-ns', policies: ['webapp-policy'],
        audience: 'vault', ttl: '1h' }));
    const mine = nodeVault({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR });
    mine.token = ''; // else it takes that of the environment
    const login = await show('login', () => mine.kubernetesLogin({ role: 'node', jwt: process.env.JWT }));
    mine.token = login ? login.auth.client_token : 'none';
    await show('lookup', () => mine.tokenLookupSelf());
    await show('renew', () => mine.tokenRenewSelf());
    await show('secret', () => mine.read('secret/data/webapp/config'));
    await show('another secret', () => mine.read('secret/data/payroll/db'));
    await show('wrong role', () => mine.kubernetesLogin({ role: 'nope', jwt: process.env.JWT }));
    await show('revoke', () => mine.tokenRevokeSelf());
    await show('revoked', () => mine.tokenLookupSelf());

    await show('kv write', () => vault.write('secret/data/node/a', { data: { user: 'a', n: 5 } }));
    await show('kv read', () => vault.read('secret/data/node/a'));
    await show('kv update', () => vault.update('secret/data/node/a', { data: { user: 'b' } }));
    await show('kv list', () => vault.list('secret/metadata/node'));
    await show('kv delete', () => vault.delete('secret/data/node/a'));
    await show('kv deleted', () => vault.read('secret/data/node/a'));
    await show('kv gone', () => vault.delete('secret/metadata/node/a'));
    await show('kv nothing', () => vault.list('secret/metadata/node'));

    await show('kv1 mount', () => vault.mount({ mount_point: 'node-old', type: 'kv', options: { version: '1' } }));
    await show('kv1 write', () => vault.write('node-old/a', { user: 'a', n: 5 }));
    await show('kv1 read', () => vault.read('node-old/a'));
    await show('kv1 list', () => vault.list('node-old'));
    await show('kv1 delete', () => vault.delete('node-old/a'));
    await show('kv1 gone', () => vault.read('node-old/a'));
    await show('kv1 remount', () => vault.remount({ from: 'node-old', to: 'node-older' }));

    await show('policy', () => vault.addPolicy({ name: 'node', rules: 'path "secret/*" { capabilities = ["read"] }' }));
    await show('policy read', () => vault.getPolicy({ name: 'node' }));
    await show('policies', () => vault.policies());
    await show('policy gone', () => vault.removePolicy({ name: 'node' }));

    const made = await show('token', () => vault.tokenCreate({ policies: ['default'], ttl: '1h', meta: { who: 'node' } }));
    const token = made ? made.auth.client_token : 'none';
    await show('token lookup', () => vault.tokenLookup({ token }));
    await show('token renew', () => vault.tokenRenew({ token, increment: 7200 }));
    await show('token by accessor', () => vault.tokenLookupAccessor({ accessor: made.auth.accessor }));
    await show('token accessors', async () => (await vault.tokenAccessors()).data.keys.length > 0);
    await show('token revoke', () => vault.tokenRevoke({ token }));
    await show('token revoked', () => vault.tokenLookup({ token }));
    await show('orphan', () => vault.tokenCreateOrphan({ policies: ['default'], ttl: '5m' }));

    const wrapped = await show('wrap', () => vault.write('sys/wrapping/wrap', { a: 'b' }, { headers: { 'X-Vault-Wrap-TTL': '2m' } }));
    const holder = nodeVault({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR, token: wrapped ? wrapped.wrap_info.token : 'none' });
    await show('unwrap', () => holder.unwrap());
    await show('unwrap again', () => holder.unwrap());

    const entity = await show('entity', () => vault.write('identity/entity', { name: 'node', metadata: { team: 'red' } }));
    const id = entity ? entity.data.id : 'none';
    await show('entity read', () => vault.read(`identity/entity/id/${id}`));
    await show('group', () => vault.write('identity/group', { name: 'node-group', member_entity_ids: [id], policies: ['default'] }));
    await show('group read', () => vault.read('identity/group/name/node-group'));
    await show('group lookup', () => vault.write('identity/lookup/group', { name: 'node-group' }));
    await show('group list', () => vault.list('identity/group/name'));
    await show('group delete', () => vault.delete('identity/group/name/node-group'));
    await show('entity delete', () => vault.delete(`identity/entity/id/${id}`));

    const lessee = nodeVault({ apiVersion: 'v1', endpoint: process.env.VAULT_ADDR });
    lessee.token = '';
    await show('login of a lease', () => lessee.kubernetesLogin({ role: 'node', jwt: process.env.JWT }));
    const leases = await show('leases', () => vault.list('sys/leases/lookup/auth/kubernetes/login'));
    const lease = `auth/kubernetes/login/${leases ? leases.data.keys[0] : 'none'}`;
    await show('lease', () => vault.write('sys/leases/lookup', { lease_id: lease }));
    await show('lease renew', () => vault.renew({ lease_id: lease }));
    await show('lease revoke', () => vault.revoke({ lease_id: lease }));
    await show('leases now', () => vault.list('sys/leases/lookup/auth/kubernetes/login'));

    await show('enable auth', () => vault.enableAuth({ mount_point: 'node-k8s', type: 'kubernetes', description: 'x' }));
    await show('disable auth', () => vault.disableAuth({ mount_point: 'node-k8s' }));
    await show('help', async () => typeof (await vault.help('secret')).help);
}

day().catch((error) => {
    console.error(error);
    process.exit(1);
});
