/* SPDX-License-Identifier: Apache-2.0
 *
 * The request parser of http.c, apart from sockets so that it can be fuzzed. HTTP/1.0 and 1.1 requests with an optional
 * Content-Length body; no chunked bodies, no folded headers, no pipelining (every answer closes the connection), so
 * there is nothing to smuggle.
 */
#ifndef LR_DAEMON_HTTP_PARSE_H
#define LR_DAEMON_HTTP_PARSE_H

#include <stdbool.h>

#include "rules/base/slice.h"

enum http_parse {
	HTTP_PARSE_MORE,  /* not all there yet */
	HTTP_PARSE_DONE,
	HTTP_PARSE_BAD,   /* answer with ret->status and close */
};

struct http_parsed {
	int status;          /* BAD: 400, 405, 413, 431, 501, 505 */
	bool is_post;
	struct slice target; /* raw path and query; borrowed from the input */
	struct slice body;
};

/* Looks at all bytes that have come so far. `header_max` and `body_max` bound what is waited for. */
enum http_parse http_parse(struct slice bytes, size_t header_max, size_t body_max, bool allow_post,
                           struct http_parsed *ret);

/* Decodes %XX and, if `plus_is_space`, '+'; writes at most raw.len bytes and a NUL to ret_text. Returns false when an
 * escape is malformed or decodes to a NUL or control character. */
bool http_decode(struct slice raw, bool plus_is_space, char *ret_text);

#endif
