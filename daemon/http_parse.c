/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http_parse.h"

#include <string.h>
#include <strings.h>

static enum http_parse bad(struct http_parsed *ret, int status)
{
	ret->status = status;
	return HTTP_PARSE_BAD;
}

/* Takes one line off the front, without its CRLF or LF. */
static bool take_line(struct slice *rest, struct slice *ret_line)
{
	const char *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;
	if (end == NULL)
		return false;
	*ret_line = (struct slice){rest->p, (size_t)(end - rest->p)};
	if (ret_line->len > 0 && ret_line->p[ret_line->len - 1] == '\r')
		ret_line->len--;
	rest->len -= (size_t)(end + 1 - rest->p);
	rest->p = end + 1;
	return true;
}

/* Takes what stands before the first space. */
static struct slice take_word(struct slice *line)
{
	const char *space = line->len ? memchr(line->p, ' ', line->len) : NULL;
	size_t len = space ? (size_t)(space - line->p) : line->len;
	struct slice word = {line->p, len};
	size_t skip = space ? len + 1 : len;
	line->p += skip;
	line->len -= skip;
	return word;
}

static enum http_parse parse_request_line(struct slice line, bool allow_post, struct http_parsed *ret)
{
	struct slice method = take_word(&line);
	ret->target = take_word(&line);
	if (!slice_is(line, "HTTP/1.1") && !slice_is(line, "HTTP/1.0"))
		return bad(ret, slice_has_prefix(line, SLICE("HTTP/")) ? 505 : 400);
	if (ret->target.len == 0 || ret->target.p[0] != '/')
		return bad(ret, 400);
	ret->is_post = slice_is(method, "POST");
	if (!slice_is(method, "GET") && !(ret->is_post && allow_post))
		return bad(ret, 405);
	return HTTP_PARSE_DONE;
}

/* A Content-Length is digits and nothing else; two different ones are refused. */
static bool parse_length(struct slice value, size_t *ret_length)
{
	size_t length = 0;
	while (value.len > 0 && (value.p[0] == ' ' || value.p[0] == '\t'))
		value = (struct slice){value.p + 1, value.len - 1};
	if (value.len == 0 || value.len > 9)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return false;
		length = length * 10 + (size_t)(value.p[i] - '0');
	}
	*ret_length = length;
	return true;
}

static bool is_header(struct slice line, const char *name, struct slice *ret_value)
{
	size_t len = strlen(name);
	if (line.len <= len || line.p[len] != ':' || strncasecmp(line.p, name, len) != 0)
		return false;
	*ret_value = (struct slice){line.p + len + 1, line.len - len - 1};
	return true;
}

static enum http_parse parse_header(struct slice line, size_t *length, bool *has_length, struct http_parsed *ret)
{
	struct slice value;
	if (line.p[0] == ' ' || line.p[0] == '\t' || memchr(line.p, ':', line.len) == NULL ||
	    memchr(line.p, '\0', line.len) != NULL)
		return bad(ret, 400);
	if (is_header(line, "Transfer-Encoding", &value))
		return bad(ret, 501);
	if (!is_header(line, "Content-Length", &value))
		return HTTP_PARSE_DONE;
	size_t here;
	if (!parse_length(value, &here) || (*has_length && here != *length))
		return bad(ret, 400);
	*length = here;
	*has_length = true;
	return HTTP_PARSE_DONE;
}

enum http_parse http_parse(struct slice bytes, size_t header_max, size_t body_max, bool allow_post,
                           struct http_parsed *ret)
{
	struct slice rest = bytes, line;
	size_t length = 0;
	bool has_length = false, is_first = true;
	*ret = (struct http_parsed){0};
	for (;; is_first = false) {
		bool has_line = take_line(&rest, &line);
		if ((size_t)(rest.p - bytes.p) > header_max || (!has_line && bytes.len > header_max))
			return bad(ret, 431);
		if (!has_line)
			return HTTP_PARSE_MORE;
		if (!is_first && line.len == 0)
			break;
		enum http_parse result =
			is_first ? parse_request_line(line, allow_post, ret) : parse_header(line, &length, &has_length, ret);
		if (result != HTTP_PARSE_DONE)
			return result;
	}
	if (length > body_max)
		return bad(ret, 413);
	if (rest.len < length)
		return HTTP_PARSE_MORE;
	ret->body = (struct slice){rest.p, length};
	return HTTP_PARSE_DONE;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool http_decode(struct slice raw, bool plus_is_space, char *ret_text)
{
	for (size_t i = 0; i < raw.len; i++) {
		unsigned char byte = (unsigned char)raw.p[i];
		if (byte == '+' && plus_is_space) {
			byte = ' ';
		} else if (byte == '%') {
			int high = raw.len - i > 2 ? hex_digit(raw.p[i + 1]) : -1;
			int low = raw.len - i > 2 ? hex_digit(raw.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			byte = (unsigned char)(high * 16 + low);
			i += 2;
		}
		if (byte < ' ' || byte == 0x7f)
			return false;
		*ret_text++ = (char)byte;
	}
	*ret_text = '\0';
	return true;
}
