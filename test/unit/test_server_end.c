/* SPDX-License-Identifier: Apache-2.0 */
/* How a server begins and ends: its unix socket's file, retiring, draining. */
#include "server_world.h"

static void unix_socket(void **state)
{
    char path[] = "/tmp/test-server-XXXXXX";
    struct error e;
    struct stat st;
    struct world w = { 0 };
    struct http_response r;

    assert_non_null(mkdtemp(path));
    scoped(free) char *sock = must_asprintf("%s/sock", path);
    for (int again = 0; again < 2; again++) {
        struct http_server_options o = {
            .name = "unix", .unix_path = sock, .handler = handler, .ctx = &w
        };
        assert_int_equal(http_server_start(&w.server, &o, &e), 0);
        assert_int_equal(stat(sock, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);
        w.client = http_client_new(
            &(struct http_client_options){ .base_url = "http://l", .unix_path = sock });
        assert_int_equal(get(w.client, "/peer", &r), 0);
        scoped(free) char *want = must_asprintf("\"uid\":%d", (int)getuid());
        assert_non_null(strstr(r.body.data, want));
        http_response_done(&r);
        close_world(&w);
    }
    (void)rmdir(path);
}

static void drain_lets_calls_end(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        char head[2048], byte;
        open_world(&w, k);
        struct raw idle = raw_to(&w);
        struct raw busy = raw_to(&w);
        assert_true(raw_say(&busy, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
        while (atomic_load(&w.handled) == 0)
            usleep(1000);
        http_server_drain(w.server, 5000);
        assert_true(raw_until(&busy, "\r\n\r\n", head, sizeof(head)));
        assert_non_null(strcasestr(head, "Connection: close"));
        assert_true(raw_recv(&idle, &byte, 1) <= 0);
        must(pthread_join(w.replier, NULL) == 0);
        raw_close(&idle);
        raw_close(&busy);
        close_world(&w);
    }
}

/* Whoever is connected is told to go, and a new client is still answered. */
static void retiring_sends_clients_away(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        char head[2048], byte;
        open_world(&w, k);
        struct raw old = raw_to(&w);
        http_server_retire(w.server);
        struct raw late = raw_to(&w);
        struct raw *both[] = { &old, &late };
        for (size_t i = 0; i < countof(both); i++) {
            assert_true(raw_say(both[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
            assert_true(raw_until(both[i], "\r\n\r\n", head, sizeof(head)));
            assert_non_null(strcasestr(head, "Connection: close"));
            while (raw_recv(both[i], &byte, 1) > 0)
                ;
            raw_close(both[i]);
        }
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unix_socket),
        cmocka_unit_test(drain_lets_calls_end),
        cmocka_unit_test(retiring_sends_clients_away),
    };
    return cmocka_run_group_tests_name("server end", tests, group_setup, group_teardown);
}
