/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"

static const struct http_case {
    const char *name;
    int status;
    const char *reason;
    enum error_code want;
} http_cases[] = {
    { "the reason wins over the status", 409, "AlreadyExists", ERR_EXISTS },
    { "409 alone is a conflict", 409, NULL, ERR_CONFLICT },
    { "an unknown reason leaves it to the status", 404, "Whatever", ERR_NOT_FOUND },
    { "Gone is Expired", 410, "Gone", ERR_EXPIRED },
    { "410 alone is Expired", 410, "", ERR_EXPIRED },
    { "ServerTimeout is a time-out though its status is 500", 500, "ServerTimeout", ERR_TIMEOUT },
    { "408 is a time-out", 408, NULL, ERR_TIMEOUT },
    { "502 of a proxy is unavailable", 502, NULL, ERR_UNAVAILABLE },
    { "another 4xx is a bad request", 418, NULL, ERR_BAD_REQUEST },
    { "another 5xx is internal", 599, NULL, ERR_INTERNAL },
    { "429", 429, "TooManyRequests", ERR_TOO_MANY },
};

static void translates_http(void **state)
{
    const struct http_case *c = *state;
    assert_int_equal(error_from_http(c->status, c->reason), c->want);
}

static void every_code_survives_the_way_there_and_back(void **state)
{
    for (int code = ERR_NONE + 1; code <= ERR_TIMEOUT; code++) {
        const char *reason = error_reason((enum error_code)code);
        assert_int_equal(error_from_http(error_http((enum error_code)code), reason), code);
    }
    assert_int_equal(error_http(ERR_NONE), 500);
    assert_string_equal(error_reason((enum error_code)999), "InternalError");
}

static void wraps_from_the_inside_out(void **state)
{
    struct error e;

    assert_int_equal(error_set(&e, ERR_NOT_FOUND, "disk '%s' is missing", "root"), -ERR_NOT_FOUND);
    assert_int_equal(error_wrap(&e, "vm %s", "a/b"), -ERR_NOT_FOUND);
    assert_string_equal(e.msg, "vm a/b: disk 'root' is missing");
}

static void may_be_set_from_itself(void **state)
{
    struct error e;

    (void)error_set(&e, ERR_INTERNAL, "inner");
    (void)error_set(&e, ERR_INVALID, "outer of %s", e.msg);
    assert_string_equal(e.msg, "outer of inner");
}

static void long_and_malformed_text_stays_valid(void **state)
{
    char big[2 * ERROR_MSG_MAX];
    struct error e;

    for (size_t i = 0; i + 1 < sizeof(big); i += 2)
        memcpy(big + i, "\xc3\xa4", 2);
    big[sizeof(big) - 2] = '\0';
    (void)error_set(&e, ERR_INVALID, "%s", big);
    assert_true(str_is_utf8(e.msg));
    (void)error_wrap(&e, "x%s", big);
    assert_true(str_is_utf8(e.msg));
    assert_int_equal(strlen(e.msg), ERROR_MSG_MAX - 1);

    (void)error_set(&e, ERR_INVALID, "name '%s'", "a\xff");
    assert_string_equal(e.msg, "name 'a?'");
    json_auto_t *status = error_status(&e, NULL);
    assert_string_equal(jpath_str(status, "message", ""), "name 'a?'");
}

static void status_is_what_clients_read(void **state)
{
    struct error e;
    (void)error_set(&e, ERR_NOT_FOUND, "vm 'a' not found");
    json_auto_t *details = json_q("{'name':'a','kind':'virtualmachines'}");
    json_auto_t *got = error_status(&e, details);
    json_auto_t *want = json_q("{'kind':'Status','apiVersion':'v1','metadata':{},"
                               "'status':'Failure','message':'vm _ not found',"
                               "'reason':'NotFound','code':404,"
                               "'details':{'name':'a','kind':'virtualmachines'}}");
    jpath_set_str(want, "message", "vm 'a' not found");
    assert_json(got, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_survives_the_way_there_and_back),
        cmocka_unit_test(wraps_from_the_inside_out),
        cmocka_unit_test(may_be_set_from_itself),
        cmocka_unit_test(long_and_malformed_text_stays_valid),
        cmocka_unit_test(status_is_what_clients_read),
    };
    return RUN_ROWS("error http", http_cases, translates_http) +
           cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
