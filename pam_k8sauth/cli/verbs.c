/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs: what they take and what they are for. Help, man page and completions are made from this table. */
#include "cli/verbs.h"

#include "cli/cli.h"

#define FLAGS(...) ((const enum flag_id[]){ __VA_ARGS__, FLAG_END })

#define MOUNT_FLAGS                                                                                               \
	FLAG_ALLOWED_MANAGED_KEYS, FLAG_ALLOWED_RESPONSE_HEADERS, FLAG_AUDIT_NON_HMAC_REQUEST_KEYS,               \
	    FLAG_AUDIT_NON_HMAC_RESPONSE_KEYS, FLAG_DEFAULT_LEASE_TTL, FLAG_DESCRIPTION, FLAG_LISTING_VISIBILITY, \
	    FLAG_MAX_LEASE_TTL, FLAG_OPTIONS, FLAG_PASSTHROUGH_REQUEST_HEADERS, FLAG_PLUGIN_VERSION, FLAG_VERSION
#define ENABLE_FLAGS                                                                                             \
	MOUNT_FLAGS, FLAG_EXTERNAL_ENTROPY_ACCESS, FLAG_FORCE_NO_CACHE, FLAG_LOCAL, FLAG_PATH, FLAG_PLUGIN_NAME, \
	    FLAG_SEAL_WRAP

#define DATA_HELP                                                                                   \
	"  DATA is key=value, key=@file or key=- (standard input), or one @file or - that is a\n"   \
	"  JSON object. Arguments can be read by every user of the machine: give secrets by file\n" \
	"  or standard input.\n"

const struct verb verbs[] = {
	{ "read", "[options] PATH", "Reads what is at PATH", "      $ k8sauth read auth/kubernetes/role/ssh\n",
	    TAKES_ALL, NULL, verb_read, NULL },
	{ "write", "[options] PATH [DATA...]", "Writes data to PATH",
	    DATA_HELP "\n      $ k8sauth write auth/kubernetes/config kubernetes_host=https://10.0.0.1:6443 \\\n"
		      "            kubernetes_ca_cert=@ca.crt token_reviewer_jwt=@reviewer.jwt\n",
	    TAKES_ALL, FLAGS(FLAG_FORCE), verb_write, NULL },
	{ "patch", "[options] PATH [DATA...]", "Changes a part of what is at PATH", DATA_HELP, TAKES_ALL,
	    FLAGS(FLAG_FORCE), verb_patch, NULL },
	{ "delete", "[options] PATH", "Deletes what is at PATH", NULL, TAKES_ALL, NULL, verb_delete, NULL },
	{ "list", "[options] PATH", "Lists the keys below PATH", NULL, TAKES_HTTP | TAKES_FORMAT, NULL, verb_list,
	    NULL },
	{ "login", "[options] [TOKEN | DATA...]", "Logs in and keeps the token",
	    "  With a token (asked for without one, - reads it from standard input), or with the JWT\n"
	    "  of a service account:\n\n"
	    "      $ k8sauth login -method=kubernetes role=webapp jwt=@/run/secrets/jwt\n\n"
	    "  The token is kept in ~/.vault-token.\n",
	    TAKES_ALL, FLAGS(FLAG_METHOD, FLAG_NO_PRINT, FLAG_NO_STORE, FLAG_PATH, FLAG_TOKEN_ONLY), verb_login, NULL },
	{ "unwrap", "[options] [TOKEN]", "Opens a wrapped reply", NULL, TAKES_ALL, NULL, verb_unwrap, NULL },
	{ "status", "[options]", "Tells whether the server is initialized and sealed",
	    "  Exit code 0: unsealed, 2: sealed, 1: no answer.\n", TAKES_HTTP | TAKES_FORMAT, NULL, verb_status, NULL },
	{ "path-help", "[options] PATH", "Tells what a path is for", NULL, TAKES_HTTP | TAKES_FORMAT, NULL,
	    verb_path_help, NULL },
	{ "version", "", "Tells the version of this command", NULL, 0, NULL, verb_version, NULL },
	{ "print token", "", "Prints the token in use", NULL, 0, NULL, verb_print_token, NULL },

	{ "token create", "[options]", "Makes a token", NULL, TAKES_ALL,
	    FLAGS(FLAG_DISPLAY_NAME, FLAG_ENTITY_ALIAS, FLAG_EXPLICIT_MAX_TTL, FLAG_ID, FLAG_METADATA,
		FLAG_NO_DEFAULT_POLICY, FLAG_ORPHAN, FLAG_PERIOD, FLAG_POLICY, FLAG_RENEWABLE, FLAG_ROLE, FLAG_TTL,
		FLAG_TYPE, FLAG_USE_LIMIT),
	    verb_token_create, NULL },
	{ "token lookup", "[options] [TOKEN | ACCESSOR]", "Shows a token, or the one in use",
	    "  - reads the token from standard input; arguments can be read by every user.\n",
	    TAKES_HTTP | TAKES_FORMAT, FLAGS(FLAG_ACCESSOR), verb_token_lookup, NULL },
	{ "token renew", "[options] [TOKEN]", "Renews a token, or the one in use", NULL, TAKES_ALL,
	    FLAGS(FLAG_ACCESSOR, FLAG_INCREMENT), verb_token_renew, NULL },
	{ "token revoke", "[options] [TOKEN | ACCESSOR]", "Revokes a token and what was made with it",
	    "  - reads the token from standard input; arguments can be read by every user.\n", TAKES_HTTP,
	    FLAGS(FLAG_ACCESSOR, FLAG_MODE, FLAG_SELF), verb_token_revoke, NULL },
	{ "token capabilities", "[options] [TOKEN] PATH", "Tells what a token may do at PATH", NULL,
	    TAKES_HTTP | TAKES_FORMAT, FLAGS(FLAG_ACCESSOR), verb_token_capabilities, NULL },

	{ "kv put", "[options] PATH DATA...", "Writes a secret: a new version of all its keys", DATA_HELP, TAKES_ALL,
	    FLAGS(FLAG_CAS, FLAG_MOUNT), verb_kv_put, NULL },
	{ "kv get", "[options] PATH", "Reads a secret", "      $ k8sauth kv get -field=password secret/webapp/db\n",
	    TAKES_ALL, FLAGS(FLAG_MOUNT, FLAG_VERSION), verb_kv_get, NULL },
	{ "kv list", "[options] PATH", "Lists the secrets below PATH", NULL, TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_MOUNT), verb_kv_list, NULL },
	{ "kv delete", "[options] PATH", "Deletes the latest version of a secret, or those named", NULL, TAKES_ALL,
	    FLAGS(FLAG_MOUNT, FLAG_VERSIONS), verb_kv_delete, NULL },
	{ "kv undelete", "[options] PATH", "Brings deleted versions back", NULL, TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_MOUNT, FLAG_VERSIONS), verb_kv_undelete, NULL },
	{ "kv destroy", "[options] PATH", "Removes versions for good", NULL, TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_MOUNT, FLAG_VERSIONS), verb_kv_destroy, NULL },
	{ "kv patch", "[options] PATH DATA...", "Writes some keys of a secret, and keeps the others", DATA_HELP,
	    TAKES_ALL, FLAGS(FLAG_CAS, FLAG_METHOD, FLAG_MOUNT, FLAG_REMOVE_DATA), verb_kv_patch, NULL },
	{ "kv rollback", "[options] PATH", "Writes an old version anew", NULL, TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_MOUNT, FLAG_VERSION), verb_kv_rollback, NULL },
	{ "kv enable-versioning", "[options] MOUNT", "Makes a mount of version 1 one of version 2", NULL, TAKES_HTTP,
	    NULL, verb_kv_enable_versioning, NULL },
	{ "kv metadata get", "[options] PATH", "Shows the versions and settings of a secret", NULL,
	    TAKES_HTTP | TAKES_FORMAT, FLAGS(FLAG_MOUNT), verb_kv_metadata_get, NULL },
	{ "kv metadata put", "[options] PATH", "Sets the settings of a secret", NULL, TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_CAS_REQUIRED, FLAG_CUSTOM_METADATA, FLAG_DELETE_VERSION_AFTER, FLAG_MAX_VERSIONS, FLAG_MOUNT),
	    verb_kv_metadata_put, NULL },
	{ "kv metadata patch", "[options] PATH", "Changes some settings of a secret", NULL, TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_CAS_REQUIRED, FLAG_CUSTOM_METADATA, FLAG_DELETE_VERSION_AFTER, FLAG_MAX_VERSIONS, FLAG_MOUNT,
		FLAG_REMOVE_CUSTOM_METADATA),
	    verb_kv_metadata_patch, NULL },
	{ "kv metadata delete", "[options] PATH", "Removes a secret with all its versions", NULL,
	    TAKES_HTTP | TAKES_FORMAT, FLAGS(FLAG_MOUNT), verb_kv_metadata_delete, NULL },

	{ "secrets enable", "[options] TYPE", "Mounts a secrets engine",
	    "      $ k8sauth secrets enable -path=secret kv-v2\n", TAKES_HTTP, FLAGS(ENABLE_FLAGS), verb_mounts_enable,
	    "kv kv-v2" },
	{ "secrets disable", "[options] PATH", "Unmounts a secrets engine with all its data", NULL, TAKES_HTTP, NULL,
	    verb_mounts_disable, NULL },
	{ "secrets list", "[options]", "Lists the secrets engines", NULL, TAKES_HTTP | TAKES_FORMAT, NULL,
	    verb_mounts_list, NULL },
	{ "secrets tune", "[options] PATH", "Changes the settings of a mount", NULL, TAKES_HTTP, FLAGS(MOUNT_FLAGS),
	    verb_mounts_tune, NULL },
	{ "secrets move", "[options] SOURCE DESTINATION", "Moves a mount", NULL, TAKES_HTTP, NULL, verb_mounts_move,
	    NULL },

	{ "auth enable", "[options] TYPE", "Mounts an auth method", "      $ k8sauth auth enable kubernetes\n",
	    TAKES_HTTP, FLAGS(ENABLE_FLAGS, FLAG_TOKEN_TYPE), verb_mounts_enable, "kubernetes" },
	{ "auth disable", "[options] PATH", "Unmounts an auth method with all its roles", NULL, TAKES_HTTP, NULL,
	    verb_mounts_disable, NULL },
	{ "auth list", "[options]", "Lists the auth methods", NULL, TAKES_HTTP | TAKES_FORMAT, NULL, verb_mounts_list,
	    NULL },
	{ "auth tune", "[options] PATH", "Changes the settings of an auth method", NULL, TAKES_HTTP,
	    FLAGS(MOUNT_FLAGS, FLAG_TOKEN_TYPE), verb_mounts_tune, NULL },
	{ "auth move", "[options] SOURCE DESTINATION", "Moves an auth method", NULL, TAKES_HTTP, NULL, verb_mounts_move,
	    NULL },
	{ "auth help", "[options] PATH", "Tells how to log in by an auth method", NULL, TAKES_HTTP, NULL,
	    verb_auth_help, NULL },

	{ "audit enable", "[options] TYPE [OPTION=VALUE...]", "Enables an audit device",
	    "      $ k8sauth audit enable file file_path=/var/log/k8sauth/audit.log\n", TAKES_HTTP,
	    FLAGS(FLAG_DESCRIPTION, FLAG_LOCAL, FLAG_PATH), verb_audit_enable, "file syslog socket" },
	{ "audit disable", "[options] PATH", "Disables an audit device", NULL, TAKES_HTTP, NULL, verb_audit_disable,
	    NULL },
	{ "audit list", "[options]", "Lists the audit devices", NULL, TAKES_HTTP | TAKES_FORMAT, NULL, verb_audit_list,
	    NULL },

	{ "policy list", "[options]", "Lists the policies", NULL, TAKES_HTTP | TAKES_FORMAT, NULL, verb_policy_list,
	    NULL },
	{ "policy read", "[options] NAME", "Prints a policy", NULL, TAKES_HTTP | TAKES_FORMAT, NULL, verb_policy_read,
	    NULL },
	{ "policy write", "[options] NAME FILE", "Writes a policy from a file, or from standard input (-)",
	    "      $ echo 'path \"secret/data/webapp/*\" { capabilities = [\"read\"] }' | \\\n"
	    "            k8sauth policy write webapp -\n",
	    TAKES_HTTP, NULL, verb_policy_write, "file" },
	{ "policy fmt", "[options] FILE", "Brings a policy's file into the usual form", NULL, 0, NULL, verb_policy_fmt,
	    "file" },
	{ "policy delete", "[options] NAME", "Deletes a policy", NULL, TAKES_HTTP, NULL, verb_policy_delete, NULL },

	{ "lease lookup", "[options] ID", "Shows a lease", NULL, TAKES_HTTP | TAKES_FORMAT, NULL, verb_lease_lookup,
	    NULL },
	{ "lease renew", "[options] ID", "Renews a lease", NULL, TAKES_HTTP | TAKES_FORMAT, FLAGS(FLAG_INCREMENT),
	    verb_lease_renew, NULL },
	{ "lease revoke", "[options] ID", "Revokes a lease, or all below a prefix", NULL, TAKES_HTTP,
	    FLAGS(FLAG_FORCE, FLAG_PREFIX, FLAG_SYNC), verb_lease_revoke, NULL },

	{ "operator init", "[options]", "Initializes the store and prints the first root token",
	    "  For k8sauthd, as root on its machine, through its own socket.\n", TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_KEY_SHARES, FLAG_KEY_THRESHOLD, FLAG_RECOVERY_SHARES, FLAG_RECOVERY_THRESHOLD, FLAG_STATUS),
	    verb_operator_init, NULL },
	{ "operator unseal", "[options] [KEY]", "Brings a key share: enough of them open the store",
	    "  Asked for without one; - reads it from standard input. Arguments can be read by every user.\n"
	    "  For k8sauthd of a machine, as root through its own socket.\n",
	    TAKES_HTTP | TAKES_FORMAT, FLAGS(FLAG_MIGRATE, FLAG_RESET), verb_operator_unseal, NULL },
	{ "operator seal", "[options]", "Closes the store: everything is refused until it is unsealed", NULL, TAKES_HTTP,
	    NULL, verb_operator_seal, NULL },
	{ "operator rotate", "[options]", "Seals new records with a new key", NULL, TAKES_HTTP | TAKES_FORMAT, NULL,
	    verb_operator_rotate, NULL },
	{ "operator key-status", "[options]", "Tells of the key that seals new records", NULL, TAKES_HTTP | TAKES_FORMAT,
	    NULL, verb_operator_key_status, NULL },
	{ "operator rekey", "[options] [KEY]", "Replaces the unseal key or the recovery key, by shares of the old one",
	    "  -init begins and tells the nonce; then each holder of a share brings it; -status, -cancel.\n"
	    "  With -init -verify the new key counts when its shares were shown: -verify -nonce=... KEY.\n\n"
	    "      $ k8sauth operator rekey -init -key-shares=5 -key-threshold=3\n"
	    "      $ k8sauth operator rekey -nonce=NONCE -\n",
	    TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_CANCEL, FLAG_INIT, FLAG_KEY_SHARES, FLAG_KEY_THRESHOLD, FLAG_NONCE, FLAG_STATUS, FLAG_TARGET,
		FLAG_VERIFY),
	    verb_operator_rekey, NULL },
	{ "operator generate-root", "[options] [KEY]", "Makes a root token by key shares",
	    "  -init begins, tells the nonce and a one-time password; then each holder of a share brings it. The\n"
	    "  last one is told the token, hidden by that password: -decode=TOKEN -otp=PASSWORD shows it.\n",
	    TAKES_HTTP | TAKES_FORMAT,
	    FLAGS(FLAG_CANCEL, FLAG_DECODE, FLAG_GENERATE_OTP, FLAG_INIT, FLAG_NONCE, FLAG_OTP, FLAG_STATUS),
	    verb_operator_generate_root, NULL },
	{ "operator backup", "[options] FILE", "Writes a copy of k8sauthd's store to FILE, while it is used",
	    "  The copy is what the store is when the command ends. It is sealed as the store is, and opens with\n"
	    "  the same seal key: keep that too, and in another place. Needs root.\n",
	    TAKES_HTTP | TAKES_LOCAL, NULL, verb_operator_backup, "file" },
	{ "operator restore", "[options] FILE", "Puts a backup in the place of k8sauthd's store",
	    "  Says what becomes of tokens, leases and sessions, asks (not with -force), and leaves the backup\n"
	    "  where k8sauthd takes it from at its next start. The store that is there is kept. Needs root.\n",
	    TAKES_HTTP | TAKES_LOCAL, FLAGS(FLAG_FORCE), verb_operator_restore, "file" },

	{ "session list", "[options]", "Lists the sessions on this machine",
	    "  Root sees all, another user the user's own.\n", TAKES_HTTP | TAKES_LOCAL | TAKES_FORMAT, NULL,
	    verb_session_list, NULL },
	{ "session show", "[options] ID", "Shows a session", NULL, TAKES_ALL | TAKES_LOCAL, NULL, verb_session_show,
	    NULL },
	{ "session kill", "[options] ID", "Ends a session: revokes its token and removes its files",
	    "  For root, and for the session's own user. Its processes go on, without token and files.\n",
	    TAKES_HTTP | TAKES_LOCAL, NULL, verb_session_kill, NULL },
	{ "session login", "[options]", "Gives a session a new token, when its own has expired or soon will",
	    "  Reads a JWT of the session's service account, or a ticket, from standard input or a file: never\n"
	    "  from the command line, where others see it. For root, and for the session's own user.\n\n"
	    "      $ k8sauth session login < /tmp/jwt\n",
	    TAKES_HTTP | TAKES_LOCAL, FLAGS(FLAG_SESSION, FLAG_TOKEN_FILE), verb_session_login, NULL },
	{ "get", "[options] NAME", "Fetches what an export block of k8sauth.hcl names, for a session",
	    "  NAME is the block's. With a field in the block its value alone is printed. For the session's\n"
	    "  own user, and for root. A secret with a lease is made once in a session.\n\n"
	    "      $ k8sauth get readonly-db\n",
	    TAKES_ALL | TAKES_LOCAL, FLAGS(FLAG_SESSION), verb_get, NULL },
	{ "exec", "[options] -- COMMAND [ARGUMENTS...]", "Runs a command with the token of a session",
	    "  VAULT_TOKEN and VAULT_ADDR are set for it; its exit code is COMMAND's. For the session's own\n"
	    "  user, and for root.\n\n"
	    "      $ k8sauth exec -- vault kv get secret/webapp/db\n",
	    TAKES_LOCAL | TAKES_COMMAND, FLAGS(FLAG_SESSION), verb_exec, NULL },
	{ "revoke", "[options] [MOUNT/]NAMESPACE/SERVICEACCOUNT", "Ends all sessions of a service account",
	    "  As session kill does, in every cluster unless MOUNT names one. Needs root.\n\n"
	    "      $ k8sauth revoke webapp-ns/webapp-sa\n",
	    TAKES_HTTP | TAKES_LOCAL, NULL, verb_revoke, NULL },

	{ "accounts list", "[options]", "Lists the accounts that have logged in or are declared", "  Needs root.\n",
	    TAKES_HTTP | TAKES_LOCAL | TAKES_FORMAT, NULL, verb_accounts_list, NULL },
	{ "accounts name", "[options] [MOUNT/]NAMESPACE/SERVICEACCOUNT",
	    "Tells which user a service account is on this machine",
	    "  It need not have logged in: configuration and names tell. Needs root.\n\n"
	    "      $ k8sauth accounts name -field=uid webapp-ns/webapp-sa\n",
	    TAKES_ALL | TAKES_LOCAL, NULL, verb_accounts_name, NULL },
	{ "accounts rebind", "[options] USER", "Lets a recreated service account in again",
	    "  A service account that was deleted and made again is another one, and is refused. This\n"
	    "  forgets the old one: the next login proves the account anew. Needs root.\n",
	    TAKES_HTTP | TAKES_LOCAL, NULL, verb_accounts_rebind, NULL },
	{ "doctor", "[options]", "Looks for what is wrong with this machine",
	    "  A line for each finding: how bad it is, its name, where, what, and what to do. Changes nothing.\n"
	    "  Exit code 0 without a FAIL, 2 with one. Root sees all; others are told what was not looked for.\n",
	    TAKES_LOCAL | TAKES_FORMAT, FLAGS(FLAG_VERBOSE), verb_doctor, NULL },
	{ "explain", "[options] REF", "Tells why a login was refused",
	    "  REF is what the user was shown: \"k8sauth: refused, ref 7f3a2c\". For root, and for that user.\n",
	    TAKES_ALL | TAKES_LOCAL, NULL, verb_explain, NULL },
	{ "explain login", "[options]", "Tells what a login would come to, step by step, and opens nothing",
	    "  Reads the JWT from standard input or a file. No token, session or account is made; a ticket is\n"
	    "  not opened. Exit code 0 if the login would succeed, 2 if not. Needs root.\n\n"
	    "      $ k8sauth explain login -user=k8s_webapp-ns_webapp-sa -service=sshd < /tmp/jwt\n",
	    TAKES_HTTP | TAKES_LOCAL | TAKES_FORMAT, FLAGS(FLAG_USER, FLAG_SERVICE, FLAG_RHOST, FLAG_ROLE, FLAG_TOKEN_FILE),
	    verb_explain_login, NULL },
	{ 0 },
};
