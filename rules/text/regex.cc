// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <new>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <re2/re2.h>

extern "C" {
#include "rules/base/err.h"
}
#include "rules/text/regex.h"

struct regex {
	RE2 program;

	regex(const re2::StringPiece &pattern, const RE2::Options &options) : program(pattern, options)
	{
	}
};

namespace {

RE2::Options bounded_options()
{
	RE2::Options options(RE2::DefaultOptions);
	options.set_log_errors(false); // the library would write to stderr
	options.set_max_mem(REGEX_MEMORY_BYTES);
	return options;
}

re2::StringPiece piece_of(struct slice text)
{
	return re2::StringPiece(text.len != 0 ? text.p : "", text.len);
}

} // namespace

extern "C" struct regex *regex_compile(struct slice pattern, struct err *err)
try {
	if (pattern.len > REGEX_PATTERN_BYTES) {
		err_set(err, ERR_BAD_REGEX, "regular expression of %zu bytes, the limit is %d", pattern.len,
		        static_cast<int>(REGEX_PATTERN_BYTES));
		return nullptr;
	}
	std::unique_ptr<struct regex> fresh(new struct regex(piece_of(pattern), bounded_options()));
	if (!fresh->program.ok()) {
		err_set(err, ERR_BAD_REGEX, "bad regular expression: %s", fresh->program.error().c_str());
		return nullptr;
	}
	return fresh.release();
} catch (...) {
	err_set(err, ERR_BAD_REGEX, "regular expression could not be compiled");
	return nullptr;
}

extern "C" bool regex_search(const struct regex *regex, struct slice text)
try {
	return RE2::PartialMatch(piece_of(text), regex->program);
} catch (...) {
	return false;
}

extern "C" void regex_free(struct regex *regex)
{
	delete regex;
}
