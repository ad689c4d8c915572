/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/admin.h"

#include <stdlib.h>

#include "daemon/router.h"
#include "daemon/stats.h"
#include "rules/base/mem.h"

struct admin {
	struct admin_parts parts;
	struct http *http;
};

static void answer_metrics(struct admin *admin, struct http_request *request, const struct http_call *call)
{
	(void)call;
	struct strbuf body = STRBUF_INIT;
	router_measure(admin->parts.router);
	if (admin->parts.measure != NULL)
		admin->parts.measure(admin->parts.ctx);
	stats_print(admin->parts.stats, &body);
	http_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
	strbuf_done(&body);
}

/* Alive depends on nothing outside: Redis or Kafka being away must not get the process restarted. */
static void answer_live(struct admin *admin, struct http_request *request, const struct http_call *call)
{
	(void)call;
	bool is_alive = router_is_alive(admin->parts.router);
	http_answer_text(request, is_alive ? 200 : 503, is_alive ? "ok" : "stuck: a shard makes no progress");
}

static void answer_ready(struct admin *admin, struct http_request *request, const struct http_call *call)
{
	struct strbuf why = STRBUF_INIT;
	bool is_ready = router_is_ready(admin->parts.router, &why);
	char *verbose = http_query_get(call, "verbose");
	if (is_ready)
		http_answer_text(request, 200, "ok");
	else if (verbose != NULL || slice_is(call->query, "verbose"))
		http_answer(request, 503, "text/plain; charset=utf-8", &why);
	else
		http_answer_text(request, 503, "not ready (?verbose tells why)");
	free(verbose);
	strbuf_done(&why);
}

static void answer_version(struct admin *admin, struct http_request *request, const struct http_call *call)
{
	(void)admin, (void)call;
	http_answer_text(request, 200, "leadrouter " LEADROUTER_VERSION);
}

static const struct {
	const char *path;
	void (*answer)(struct admin *admin, struct http_request *take_request, const struct http_call *call);
} routes[] = {
	{"/metrics", answer_metrics}, {"/livez", answer_live},      {"/healthz", answer_live},
	{"/readyz", answer_ready},    {"/version", answer_version},
};

static void on_request(void *ctx, struct http_request *take_request, const struct http_call *call)
{
	struct admin *admin = ctx;
	unsigned status = 404;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(call->path, routes[i].path) == 0) {
			routes[i].answer(admin, take_request, call);
			status = 0;
			break;
		}
	if (status == 404)
		http_answer_text(take_request, 404, "nothing here; try /metrics, /livez, /readyz, /version");
	const struct slice code = status == 404 ? SLICE("404") : SLICE("answered");
	stats_count(admin->parts.stats, STATS_HTTP_REQUESTS, &code, 1);
}

struct admin *admin_new(struct loop *loop, const char *listen, const struct admin_parts *parts, struct err *err)
{
	struct admin *admin = xcalloc(1, sizeof *admin);
	admin->parts = *parts;
	admin->http = http_new(loop, listen, false, on_request, admin, err);
	if (admin->http != NULL)
		return admin;
	free(admin);
	return NULL;
}

void admin_free(struct admin *admin)
{
	if (admin == NULL)
		return;
	http_free(admin->http);
	free(admin);
}

int admin_port(const struct admin *admin)
{
	return http_port(admin->http);
}
