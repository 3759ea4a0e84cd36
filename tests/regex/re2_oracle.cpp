// What RE2 says about a pattern and a text: the oracle of re2_test.c. Only for tests; built where a
// C++ compiler and libre2-dev are.
#include "re2_oracle.h"

#include <re2/re2.h>

#include <string>

struct re2_oracle {
    re2::RE2 regex;
    explicit re2_oracle(const std::string &pattern, const re2::RE2::Options &options)
        : regex(pattern, options) {}
};

extern "C" struct re2_oracle *re2_oracle_new(const char *pattern, size_t len) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    return new re2_oracle(std::string(pattern, len), options);
}

extern "C" void re2_oracle_free(struct re2_oracle *oracle) {
    delete oracle;
}

extern "C" int re2_oracle_is_ok(const struct re2_oracle *oracle) {
    return oracle->regex.ok() ? 1 : 0;
}

extern "C" int re2_oracle_is_too_large(const struct re2_oracle *oracle) {
    return oracle->regex.error_code() == re2::RE2::ErrorPatternTooLarge ? 1 : 0;
}

extern "C" int re2_oracle_matches(const struct re2_oracle *oracle, const char *text, size_t len) {
    return re2::RE2::FullMatch(re2::StringPiece(text, len), oracle->regex) ? 1 : 0;
}
