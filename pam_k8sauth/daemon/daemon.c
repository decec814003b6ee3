/* SPDX-License-Identifier: Apache-2.0 */
/* The running daemon; see daemon.h. */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include <k8sauth/limits.h>

#include "accounts/accounts.h"
#include "base/deadline.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "daemon/api.h"
#include "daemon/certificates.h"
#include "daemon/peer_unit.h"
#include "session/session.h"
#include "vault/embedded/core.h"
#include "vault/embedded/token.h"
#include "wire/wire_loop.h"

#define WHOLE_BODIES 8 /* of the largest that there may be, at once, at least */
#define STOP_MS	      10000 /* requests in progress may take this long at a stop */
#define POLL_MS	      50
#define TURN_US	      2000
#define WIRE_READ_MS  5000
#define WIRE_REPLY_MS 5000
#define WIRE_LIMIT    1024

struct daemon {
	const struct daemon_config *config; /* NULL in -dev */
	struct event_base *base;
	struct core *core;
	struct accounts *accounts;
	struct sessions *sessions;
	struct wire_server *wire;
	struct http_server *http;
	struct api api;
	struct jobs *jobs; /* these two only where there are TLS listeners */
	struct certificates *certificates;
	struct event *term, *interrupt, *hangup;
	struct event *watchdog, *stopped;
	struct deadline stop_until;
	bool stopping;
	bool damaged; /* its store is */
};

/* --- what systemd is told ------------------------------------------------------------------------------------------
 */

static void notify_status(const struct daemon *daemon)
{
	if (core_sealed(daemon->core))
		sd_notify(0, "STATUS=Sealed: see `k8sauth status`; if not initialized, run `k8sauth operator init`");
	else if (daemon->sessions)
		sd_notifyf(0, "STATUS=Unsealed, %zu sessions", sessions_count(daemon->sessions));
	else
		sd_notify(0, "STATUS=Unsealed");
}

/* The table's descriptor outlives this process in systemd's hands. */
static void keep_fd(int fd)
{
	int r;

	sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=sessions");
	r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=sessions", &fd, 1);
	if (r <= 0)
		log_warning("the session table is not kept by systemd: a restart ends all sessions (%s)",
		    r < 0 ? strerror(-r) : "not started by systemd");
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sd_notify(0, "WATCHDOG=1");
	notify_status(arg);
}

static void set_metrics(void *arg)
{
	const struct daemon *daemon = arg;

	if (daemon->sessions)
		metric_set_number(METRIC_SESSIONS, NULL, (int64_t)sessions_count(daemon->sessions));
	if (daemon->http)
		metric_set_number(METRIC_CONNECTIONS, NULL, http_server_connections(daemon->http));
	if (daemon->certificates)
		certificates_set_metrics(daemon->certificates);
}

/* --- signals and the end --------------------------------------------------------------------------------------------
 */

static bool is_busy(const struct daemon *daemon)
{
	return (daemon->http && http_server_busy(daemon->http) > 0) ||
	       (daemon->wire && wire_server_busy(daemon->wire) > 0);
}

static void on_stopped(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (is_busy(daemon) && !deadline_passed(daemon->stop_until))
		return;
	if (is_busy(daemon))
		log_warning("stopping with requests in progress, after %d s", STOP_MS / 1000);
	event_del(daemon->stopped); /* the core runs the loop once more, for what is in progress */
	event_base_loopbreak(daemon->base);
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval poll = { 0, POLL_MS * 1000 };
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (daemon->stopping) {
		event_base_loopbreak(daemon->base); /* the second signal */
		return;
	}
	daemon->stopping = true;
	daemon->stop_until = deadline_after_ms(STOP_MS);
	log_info("stopping");
	sd_notify(0, "STOPPING=1");
	http_server_stop(daemon->http);
	if (daemon->wire)
		wire_server_stop(daemon->wire);
	event_add(daemon->stopped, &poll);
}

/* What a damaged store says about who may do what is no base for an answer: this is no orderly stop. */
static void on_damaged(void *arg, const char *why)
{
	struct daemon *daemon = arg;

	log_error("stopping at once: %s", why);
	sd_notifyf(0, "STOPPING=1\nSTATUS=%s", why);
	daemon->damaged = true;
	event_base_loopbreak(daemon->base);
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	core_reopen(daemon->core);
	if (daemon->certificates)
		certificates_reload(daemon->certificates);
	if (daemon->sessions)
		sessions_forget_verified(daemon->sessions);
}

/* Sessions need their tokens, and these an unsealed store; systemd is told. */
static void on_seal(void *arg)
{
	struct daemon *daemon = arg;

	if (!core_sealed(daemon->core))
		log_notice("unsealed: requests are served");
	if (!core_sealed(daemon->core) && daemon->sessions) {
		tokens_revoke_orphans(daemon->core, sessions_know, daemon->sessions);
		sessions_resume(daemon->sessions);
	}
	notify_status(daemon);
}

static int add_events(struct daemon *daemon)
{
	uint64_t usec = 0;
	struct timeval half;

	daemon->term = evsignal_new(daemon->base, SIGTERM, on_term, daemon);
	daemon->interrupt = evsignal_new(daemon->base, SIGINT, on_term, daemon);
	daemon->hangup = evsignal_new(daemon->base, SIGHUP, on_hangup, daemon);
	daemon->stopped = event_new(daemon->base, -1, EV_PERSIST, on_stopped, daemon);
	daemon->watchdog = event_new(daemon->base, -1, EV_PERSIST, on_watchdog, daemon);
	if (!daemon->term || !daemon->interrupt || !daemon->hangup || !daemon->stopped || !daemon->watchdog ||
	    event_add(daemon->term, NULL) < 0 || event_add(daemon->interrupt, NULL) < 0 ||
	    event_add(daemon->hangup, NULL) < 0)
		return -ENOMEM;
	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	usec /= 2;
	half = (struct timeval){ (time_t)(usec / 1000000), (suseconds_t)(usec % 1000000) };
	return event_add(daemon->watchdog, &half) < 0 ? -ENOMEM : 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void daemon_end(struct daemon *daemon)
{
	/* The core first: it answers what is in progress, and asks the sessions until it is gone. */
	if (daemon->core)
		core_close(daemon->core);
	sessions_free(daemon->sessions);
	http_server_free(daemon->http);
	if (daemon->wire)
		wire_server_free(daemon->wire);
	accounts_free(daemon->accounts);
	jobs_free(daemon->jobs);
	certificates_free(daemon->certificates);
	free_event(daemon->term);
	free_event(daemon->interrupt);
	free_event(daemon->hangup);
	free_event(daemon->watchdog);
	free_event(daemon->stopped);
	metrics_off_show(set_metrics, daemon);
	metrics_free();
	if (!daemon->base)
		return;
	/* Dropped connections go in a turn of the loop. */
	while (event_base_get_num_events(daemon->base, EVENT_BASE_COUNT_ACTIVE) > 0)
		event_base_loop(daemon->base, EVLOOP_NONBLOCK);
	event_base_free(daemon->base);
}

/* --- the start ------------------------------------------------------------------------------------------------------
 */

static const struct api_sessions api_sessions = {
	.explain = sessions_admin_explain,
	.list = sessions_admin_list,
	.show = sessions_admin_show,
	.name = sessions_admin_name,
	.get = sessions_admin_get,
	.login = sessions_admin_login,
	.explain_login = sessions_admin_explain_login,
	.kill = sessions_admin_kill,
	.revoke = sessions_admin_revoke,
	.forget_verified = sessions_forget_verified,
};

static int start_core(struct daemon *daemon, const struct core_options *options, char *why, size_t why_size)
{
	struct event_config *config = event_config_new();
	/* A request with much to do makes its next step active in the same turn of the loop, which would otherwise go
	 * on for as long as there is one, and look at no socket. */
	const struct timeval turn = { .tv_usec = TURN_US };

	/* What a turn of the loop adds and deletes again costs no system call. No descriptor of ours is a dup() of
	 * another. */
	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0 &&
	    event_config_set_max_dispatch_interval(config, &turn, -1, 0) == 0)
		daemon->base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	if (!daemon->base)
		return -ENOMEM;
	return core_open(daemon->base, options, &daemon->core, why, why_size);
}

static int start_http(struct daemon *daemon, size_t max_body)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;

	limits.max_body = max_body;
	/* A buffer may be twice the body in it. */
	if (limits.reading / WHOLE_BODIES < 2 * max_body)
		limits.reading = 2 * max_body * WHOLE_BODIES;
	metrics_on_show(set_metrics, daemon);
	daemon->api.vault = core_vault(daemon->core);
	daemon->api.backup = core_backup;
	daemon->api.core = daemon->core;
	if (daemon->sessions) {
		daemon->api.ask = &api_sessions;
		daemon->api.sessions = daemon->sessions;
		daemon->api.accounts = daemon->accounts;
	}
	daemon->http = http_server_new(daemon->base, &limits, api_handle, &daemon->api);
	return daemon->http ? 0 : -ENOMEM;
}

static int start_listeners(struct daemon *daemon, struct sockets *sockets, char *why, size_t why_size)
{
	int r = http_server_listen(daemon->http, TAKE_FD(sockets->api), VAULT_PEER_UNIX, NULL, false);

	if (r == 0 && sockets->n_tcp > 0) {
		daemon->jobs = jobs_new(daemon->base);
		r = daemon->jobs ? certificates_new(daemon->config, daemon->jobs, &daemon->certificates, why, why_size)
				 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < sockets->n_tcp; i++)
		r = http_server_listen(
		    daemon->http, TAKE_FD(sockets->tcp[i]), VAULT_PEER_TCP, certificates_at(daemon->certificates, i), daemon->config->listeners[i].open_metrics);
	if (r < 0 || sockets->pam < 0)
		return r;
	daemon->wire = wire_server_new(daemon->base, TAKE_FD(sockets->pam), WIRE_REQUEST_MAX, WIRE_READ_MS,
	    WIRE_REPLY_MS, WIRE_LIMIT, sessions_request, daemon->sessions);
	if (!daemon->wire)
		return -errno;
	wire_server_set_uid_limit(daemon->wire, sessions_connections);
	return 0;
}

/* Accounts and sessions: what logins through PAM need. */
static int start_sessions(struct daemon *daemon, struct sockets *sockets, char *why, size_t why_size)
{
	struct sessions_options options = { .config = &daemon->config->session,
		.helper_socket = K8SAUTH_HELPER_SOCKET,
		.peer_unit = peer_unit,
		.keep_fd = getenv("NOTIFY_SOCKET") ? keep_fd : NULL };
	int r = accounts_open(daemon->base, K8SAUTH_INDEX, K8SAUTH_ACCOUNTS_CONF, K8SAUTH_HELPER_SOCKET,
	    &daemon->accounts, why, why_size);

	if (r < 0)
		return r;
	options.base = daemon->base;
	options.vault = core_vault(daemon->core);
	options.accounts = daemon->accounts;
	options.table_fd = TAKE_FD(sockets->table);
	return sessions_new(&options, &daemon->sessions, why, why_size);
}

static int start_all(struct daemon *daemon, struct sockets *sockets, char *why, size_t why_size)
{
	const struct daemon_config *config = daemon->config;
	json_auto_t *settings = config_show(config);
	struct core_options core = { .store_path = config->store_path,
		.seal = &config->seal,
		.old_seal = config->old_seal.kind ? &config->old_seal : NULL,
		.settings = settings,
		.storage_type = "sqlite",
		.init_over_tcp = config->mode == MODE_SERVER };
	int r = settings ? start_core(daemon, &core, why, why_size) : -ENOMEM;

	if (r == 0 && config->mode != MODE_SERVER)
		r = start_sessions(daemon, sockets, why, why_size);
	if (r == 0)
		r = add_events(daemon);
	if (r == 0)
		r = start_http(daemon, config->max_body);
	return r < 0 ? r : start_listeners(daemon, sockets, why, why_size);
}

static int fail(struct daemon *daemon, int error, const char *why)
{
	log_error("cannot start: %s", *why ? why : strerror(-error));
	daemon_end(daemon);
	return 1;
}

int daemon_run(const struct daemon_config *config, struct sockets *sockets)
{
	struct daemon daemon = { .config = config };
	char why[512] = "";
	int r = start_all(&daemon, sockets, why, sizeof(why));

	sockets_close(sockets);
	if (r < 0)
		return fail(&daemon, r, why);
	core_on_seal(daemon.core, on_seal, &daemon);
	on_seal(&daemon);
	log_info("k8sauthd " K8SAUTH_VERSION " serves %s" K8SAUTH_API_SOCKET,
	    config->mode == MODE_SERVER ? "" : K8SAUTH_PAM_SOCKET " and ");
	for (size_t i = 0; i < config->n_listeners; i++)
		log_info("k8sauthd serves https://%s", config->listeners[i].address);
	sd_notify(0, "READY=1");
	notify_status(&daemon);
	core_watch_store(daemon.core, on_damaged, &daemon);
	event_base_dispatch(daemon.base);
	daemon_end(&daemon);
	return daemon.damaged;
}

/* --- the development server -----------------------------------------------------------------------------------------
 */

static void print_banner(const struct daemon *daemon, const char *address)
{
	const struct secret *token = core_dev_root_token(daemon->core), *key = core_dev_unseal_key(daemon->core);
	char text[base64_size(32)] = "";

	if (key)
		base64_encode(secret_reveal(key), secret_len(key), text);

	printf("k8sauthd " K8SAUTH_VERSION ", development server: everything is in memory and gone at the end,\n"
	       "it starts unsealed, and speaks plain HTTP. Never use it for more than trying things.\n\n"
	       "    $ export VAULT_ADDR='http://%s'\n\n"
	       "Unseal Key: %s\n"
	       "Root Token: %s\n\n",
	    address, text, token ? secret_reveal(token) : "");
	fflush(stdout);
	wipe(text, sizeof(text));
}

int daemon_run_dev(const struct daemon_args *args)
{
	json_auto_t *settings = config_show_dev(args->dev_listen);
	struct core_options options = {
		.dev_root_token = args->dev_root_token, .settings = settings, .storage_type = "inmem"
	};
	struct daemon daemon = { 0 };
	char why[512] = "";
	int fd = -1, r;

	r = settings ? sockets_bind_tcp(args->dev_listen, &fd, why, sizeof(why)) : -ENOMEM;
	if (r == 0)
		r = start_core(&daemon, &options, why, sizeof(why));
	if (r == 0)
		r = add_events(&daemon);
	if (r == 0)
		r = start_http(&daemon, HTTP_BODY_MAX);
	if (r == 0)
		r = http_server_listen(daemon.http, TAKE_FD(fd), VAULT_PEER_TCP, NULL, true); /* as Vault's */
	cleanup_close(&fd);
	if (r < 0)
		return fail(&daemon, r, why);
	print_banner(&daemon, args->dev_listen);
	event_base_dispatch(daemon.base);
	daemon_end(&daemon);
	return 0;
}
