/* SPDX-License-Identifier: Apache-2.0 */
/* Events: what the correlator makes of them, and what the recorder writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/correlator.h"
#include "kube/event.h"
#include "test/fake/kube.h"

enum { T0 = 1000000 };

static const char involved_text[] =
    "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstance\","
    "\"namespace\":\"ns\",\"name\":\"vm\",\"uid\":\"u-1\"}";

/* ---- the correlator ---- */

static enum event_fate judge(struct correlator *c, const char *reason, const char *message,
                             int64_t at_ms, struct event_verdict *ret)
{
    json_auto_t *involved = json_loads(involved_text, 0, NULL);
    const struct event_facts f = { "virt-handler", "node", involved, "Normal", reason, message };
    struct event_verdict v = correlator_judge(c, &f, at_ms);
    enum event_fate fate = v.fate;

    if (ret)
        *ret = v;
    else
        event_verdict_done(&v);
    return fate;
}

static void a_first_event_is_new_and_whole(void **state)
{
    struct correlator *c = correlator_new();
    struct event_verdict v;

    assert_int_equal(judge(c, "Started", "it runs", T0, &v), EVENT_NEW);
    assert_string_equal(v.namespace, "ns");
    assert_true(str_has_prefix(v.name, "vm."));
    assert_int_equal(strspn(v.name + 3, "0123456789abcdef"), strlen(v.name + 3));
    assert_string_equal(jpath_str(v.event, "metadata.name", ""), v.name);
    assert_string_equal(jpath_str(v.event, "involvedObject.uid", ""), "u-1");
    assert_string_equal(jpath_str(v.event, "source.component", ""), "virt-handler");
    assert_string_equal(jpath_str(v.event, "source.host", ""), "node");
    assert_string_equal(jpath_str(v.event, "firstTimestamp", ""), "1970-01-01T00:16:40Z");
    assert_int_equal(jpath_int(v.event, "count", 0), 1);
    assert_string_equal(jpath_str(v.event, "type", ""), "Normal");
    event_verdict_done(&v);
    correlator_free(c);
}

static void a_repeat_is_a_count_on_the_same_event(void **state)
{
    struct correlator *c = correlator_new();
    struct event_verdict first;
    struct event_verdict second;
    struct event_verdict other;

    assert_int_equal(judge(c, "Started", "it runs", T0, &first), EVENT_NEW);
    assert_int_equal(judge(c, "Started", "it runs", T0 + 5000, &second), EVENT_REPEAT);
    assert_string_equal(second.name, first.name);
    assert_int_equal(jpath_int(second.event, "count", 0), 2);
    assert_string_equal(jpath_str(second.event, "lastTimestamp", ""), "1970-01-01T00:16:45Z");
    assert_int_equal(judge(c, "Started", "it runs well", T0, &other), EVENT_NEW);
    assert_string_not_equal(other.name, first.name);
    event_verdict_done(&first);
    event_verdict_done(&second);
    event_verdict_done(&other);
    correlator_free(c);
}

static void many_messages_of_one_reason_are_combined(void **state)
{
    struct correlator *c = correlator_new();
    struct event_verdict v;
    char message[32];

    for (int i = 0; i < EVENT_SIMILAR_MAX - 1; i++) {
        (void)snprintf(message, sizeof(message), "message %d", i);
        assert_int_equal(judge(c, "Sync", message, T0, NULL), EVENT_NEW);
    }
    assert_int_equal(judge(c, "Sync", "one more", T0, &v), EVENT_NEW);
    assert_string_equal(jpath_str(v.event, "message", ""),
                        "(combined from similar events): one more");
    event_verdict_done(&v);
    assert_int_equal(judge(c, "Sync", "and another", T0, &v), EVENT_REPEAT);
    assert_string_equal(jpath_str(v.event, "message", ""),
                        "(combined from similar events): and another");
    event_verdict_done(&v);
    assert_int_equal(judge(c, "Other", "of another reason", T0, &v), EVENT_NEW);
    assert_string_equal(jpath_str(v.event, "message", ""), "of another reason");
    event_verdict_done(&v);
    /* ten minutes of silence: messages stand for themselves again */
    assert_int_equal(judge(c, "Sync", "much later", T0 + EVENT_SIMILAR_MS + 1, &v), EVENT_NEW);
    assert_string_equal(jpath_str(v.event, "message", ""), "much later");
    event_verdict_done(&v);
    correlator_free(c);
}

static void an_object_may_speak_so_often(void **state)
{
    struct correlator *c = correlator_new();

    for (int i = 0; i < EVENT_BURST; i++)
        assert_int_not_equal(judge(c, "Loop", "again", T0, NULL), EVENT_DROP);
    assert_int_equal(judge(c, "Loop", "again", T0, NULL), EVENT_DROP);
    assert_int_equal(judge(c, "Loop", "again", T0 + 299 * 1000, NULL), EVENT_DROP);
    assert_int_equal(judge(c, "Loop", "again", T0 + 301 * 1000, NULL), EVENT_REPEAT);
    correlator_free(c);
}

static void messages_are_bounded_between_characters(void **state)
{
    struct correlator *c = correlator_new();
    struct event_verdict v;
    char message[2 * EVENT_MESSAGE_MAX + 2];

    message[0] = 'x';
    for (size_t i = 1; i + 1 < sizeof(message); i += 2)
        memcpy(message + i, "\xc3\xa9", 2);
    message[sizeof(message) - 1] = '\0';
    assert_int_equal(judge(c, "Long", message, T0, &v), EVENT_NEW);
    const char *text = jpath_str(v.event, "message", "");
    assert_int_equal(strlen(text), EVENT_MESSAGE_MAX - 1);
    event_verdict_done(&v);
    correlator_free(c);
}

static void what_is_forgotten_is_new_again(void **state)
{
    struct correlator *c = correlator_new();
    struct event_verdict v;
    struct event_verdict w;

    assert_int_equal(judge(c, "A", "x", T0, &v), EVENT_NEW);
    correlator_forget(c, v.memory);
    assert_int_equal(judge(c, "A", "x", T0, &w), EVENT_NEW);
    assert_string_not_equal(v.name, w.name);
    event_verdict_done(&v);
    event_verdict_done(&w);
    correlator_free(c);
}

static void memory_is_bounded(void **state)
{
    struct correlator *c = correlator_new();
    char name[32];

    for (int i = 0; i < 3 * EVENT_REMEMBERED; i++) {
        (void)snprintf(name, sizeof(name), "vm-%d", i);
        json_auto_t *involved =
            must_pack("{s:s, s:s, s:s}", "kind", "VM", "namespace", "ns", "name", name);
        const struct event_facts f = { "c", "", involved, "Normal", "R", "m" };
        struct event_verdict v = correlator_judge(c, &f, T0);
        assert_int_equal(v.fate, EVENT_NEW);
        event_verdict_done(&v);
    }
    correlator_free(c); /* under a leak checker and with a memory limit this would show */
}

/* ---- the recorder ---- */

struct bench {
    struct fake_kube *fake;
    struct event_recorder *recorder;
    json_t *vm;
    size_t want;
};

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    b->fake = fake_kube_start();
    b->recorder =
        event_recorder_start(fake_kube_client(b->fake), "virtualmachine-controller", NULL);
    b->vm = must_pack("{s:{s:s, s:s, s:s, s:s}}", "metadata", "namespace", "ns", "name", "vm",
                      "uid", "u-1", "resourceVersion", "7");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    event_recorder_stop(b->recorder);
    fake_kube_free(b->fake);
    json_decref(b->vm);
    free(b);
    return 0;
}

static bool asked_enough(void *ctx)
{
    struct bench *b = ctx;

    return fake_kube_asked(b->fake, "/events") >= b->want;
}

static void wait_asked(struct bench *b, size_t n)
{
    b->want = n;
    assert_true(fake_wait(asked_enough, b, FAKE_PATIENCE_MS));
}

static void repeats_reach_the_server_as_patches(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 3; i++)
        event_record(b->recorder, &KIND_VM, b->vm, EVENT_WARNING, "FailedCreate", "no %s", "quota");
    wait_asked(b, 3);
    event_recorder_stop(b->recorder);
    b->recorder = NULL;
    assert_int_equal(fake_kube_asked(b->fake, "POST /api/v1/namespaces/ns/events"), 1);
    assert_int_equal(fake_kube_asked(b->fake, "PATCH /api/v1/namespaces/ns/events/vm."), 2);
    json_auto_t *all = fake_kube_list(b->fake, &KIND_EVENT);
    assert_int_equal(json_array_size(all), 1);
    const json_t *event = json_array_get(all, 0);
    assert_int_equal(jpath_int(event, "count", 0), 3);
    assert_string_equal(jpath_str(event, "message", ""), "no quota");
    assert_string_equal(jpath_str(event, "type", ""), "Warning");
    assert_string_equal(jpath_str(event, "involvedObject.kind", ""), "VirtualMachine");
    assert_string_equal(jpath_str(event, "involvedObject.apiVersion", ""), "kubevirt.io/v1");
    assert_string_equal(jpath_str(event, "involvedObject.resourceVersion", ""), "7");
}

static void an_event_that_the_server_forgot_begins_anew(void **state)
{
    struct bench *b = *state;

    event_record(b->recorder, &KIND_VM, b->vm, EVENT_NORMAL, "Started", "x");
    wait_asked(b, 1);
    json_auto_t *first = fake_kube_list(b->fake, &KIND_EVENT);
    fake_kube_remove(b->fake, &KIND_EVENT, "ns", meta_name(json_array_get(first, 0)));
    event_record(b->recorder, &KIND_VM, b->vm, EVENT_NORMAL, "Started", "x");
    wait_asked(b, 3);
    event_recorder_stop(b->recorder);
    b->recorder = NULL;
    json_auto_t *all = fake_kube_list(b->fake, &KIND_EVENT);
    assert_int_equal(json_array_size(all), 1);
    assert_int_equal(jpath_int(json_array_get(all, 0), "count", 0), 1);
}

static void cluster_objects_have_their_events_in_default(void **state)
{
    struct bench *b = *state;
    json_auto_t *node = must_pack("{s:{s:s}}", "metadata", "name", "n1");

    event_record(b->recorder, &KIND_NODE, node, EVENT_NORMAL, "NodeUnresponsive", "x");
    wait_asked(b, 1);
    assert_int_equal(fake_kube_asked(b->fake, "POST /api/v1/namespaces/default/events"), 1);
}

static void a_failing_server_is_asked_again(void **state)
{
    struct bench *b = *state;

    fake_kube_fail(b->fake, "/events", 503, 1, -1);
    event_record(b->recorder, &KIND_VM, b->vm, EVENT_NORMAL, "Started", "x");
    wait_asked(b, 2);
    event_recorder_stop(b->recorder);
    b->recorder = NULL;
    json_auto_t *all = fake_kube_list(b->fake, &KIND_EVENT);
    assert_int_equal(json_array_size(all), 1);
}

static void recording_never_blocks_and_the_oldest_go(void **state)
{
    struct bench *b = *state;
    char name[32];

    fake_kube_fail(b->fake, "/events", FAKE_KUBE_HANG, 1, -1);
    int64_t began = clock_mono_ms(&clock_real);
    for (int i = 0; i < 3 * EVENT_QUEUE_MAX; i++) {
        (void)snprintf(name, sizeof(name), "vm-%d", i);
        jpath_set_str(b->vm, "metadata.name", name);
        event_record(b->recorder, &KIND_VM, b->vm, EVENT_NORMAL, "Started", "x");
    }
    assert_true(clock_mono_ms(&clock_real) - began < 3000);
    fake_kube_heal(b->fake);
    fake_kube_release(b->fake);
    wait_asked(b, EVENT_QUEUE_MAX);
    event_recorder_stop(b->recorder);
    b->recorder = NULL;
    json_auto_t *all = fake_kube_list(b->fake, &KIND_EVENT);
    assert_true(json_array_size(all) <= EVENT_QUEUE_MAX + 2);
    bool has_last = false;
    json_t *event;
    size_t i;
    json_array_foreach(all, i, event)
        has_last |= streq(jpath_str(event, "involvedObject.name", ""), name);
    assert_true(has_last);
}

static void stopping_does_not_wait_for_a_silent_server(void **state)
{
    struct bench *b = *state;

    fake_kube_fail(b->fake, "/events", FAKE_KUBE_HANG, -1, -1);
    event_record(b->recorder, &KIND_VM, b->vm, EVENT_NORMAL, "Started", "x");
    event_record(b->recorder, &KIND_VM, b->vm, EVENT_NORMAL, "Stopped", "x");
    int64_t began = clock_mono_ms(&clock_real);
    event_recorder_stop(b->recorder);
    b->recorder = NULL;
    /* a call that had begun may use its own time limit */
    assert_true(clock_mono_ms(&clock_real) - began < 14000);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_event_is_new_and_whole),
        cmocka_unit_test(a_repeat_is_a_count_on_the_same_event),
        cmocka_unit_test(many_messages_of_one_reason_are_combined),
        cmocka_unit_test(an_object_may_speak_so_often),
        cmocka_unit_test(messages_are_bounded_between_characters),
        cmocka_unit_test(what_is_forgotten_is_new_again),
        cmocka_unit_test(memory_is_bounded),
        CASE(repeats_reach_the_server_as_patches),
        CASE(an_event_that_the_server_forgot_begins_anew),
        CASE(cluster_objects_have_their_events_in_default),
        CASE(a_failing_server_is_asked_again),
        CASE(recording_never_blocks_and_the_oldest_go),
        CASE(stopping_does_not_wait_for_a_silent_server),
    };

    log_init("test", 0);
    return cmocka_run_group_tests_name("kube_event", tests, NULL, NULL);
}
