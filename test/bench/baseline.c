/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick of admission: libmicrohttpd with its own TLS, two epoll threads,
 * the body parsed by jansson, a fixed answer.  No rule, no schema, no kube.
 *     baseline PORT CERT KEY
 */
#include <jansson.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 1 << 20, THREADS = 2 };

struct body {
    char *data;
    size_t len;
};

static enum MHD_Result handle(void *ctx, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **state)
{
    static const char answer[] = "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","
                                 "\"response\":{\"uid\":\"x\",\"allowed\":true}}";
    struct body *b = *state;

    if (!b) {
        *state = calloc(1, sizeof(*b));
        return *state ? MHD_YES : MHD_NO;
    }
    if (*len > 0) {
        char *grown = b->len + *len <= BODY_MAX ? realloc(b->data, b->len + *len) : NULL;

        if (!grown)
            return MHD_NO;
        memcpy(grown + b->len, data, *len);
        b->data = grown;
        b->len += *len;
        *len = 0;
        return MHD_YES;
    }

    json_t *parsed = json_loadb(b->data ? b->data : "", b->len, 0, NULL);
    json_decref(parsed);

    struct MHD_Response *r =
        MHD_create_response_from_buffer(sizeof(answer) - 1, (void *)answer, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(r, "Content-Type", "application/json");
    enum MHD_Result queued = MHD_queue_response(c, parsed ? 200 : 400, r);
    MHD_destroy_response(r);
    return queued;
}

static void completed(void *ctx, struct MHD_Connection *c, void **state,
                      enum MHD_RequestTerminationCode why)
{
    struct body *b = *state;

    if (b)
        free(b->data);
    free(b);
    *state = NULL;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = calloc(1, 65536);

    if (!f || !text || fread(text, 1, 65535, f) == 0)
        exit(1);
    (void)fclose(f);
    return text;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;

    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, (uint16_t)strtoul(argv[1], NULL, 10), NULL,
        NULL, handle, NULL, MHD_OPTION_HTTPS_MEM_CERT, read_file(argv[2]),
        MHD_OPTION_HTTPS_MEM_KEY, read_file(argv[3]), MHD_OPTION_THREAD_POOL_SIZE, THREADS,
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (!d)
        return 1;
    sigset_t wait;
    int signal_number;
    sigemptyset(&wait);
    sigaddset(&wait, SIGTERM);
    sigaddset(&wait, SIGINT);
    sigprocmask(SIG_BLOCK, &wait, NULL);
    (void)sigwait(&wait, &signal_number);
    MHD_stop_daemon(d);
    return 0;
}
