// SPDX-License-Identifier: Apache-2.0
/* A domain's life through hypervisor.h, on libvirt's own test driver (no QEMU, no daemon). */
#include "launcher/hypervisor.h"

#include <poll.h>
#include <stdatomic.h>

#include <libvirt/libvirt.h>

#include "base/str.h"
#include "launcher/hypervisor_words.h"
#include "test/unit/rows.h"

static atomic_int changes;

static void on_change(void *arg)
{
    atomic_fetch_add(&changes, 1);
}

static void on_agent(bool connected, void *arg)
{
}

static void on_lost(void *arg)
{
}

static const struct hypervisor_events events = { on_change, on_agent, on_lost };

static const char domain_xml[] = "<domain type='test'><name>vm</name><memory>8192</memory>"
                                 "<os><type machine='m1'>hvm</type></os></domain>";

static const struct word_case {
    const char *name;
    int state, reason;
    const char *state_word, *reason_word;
} words[] = {
    { "running", VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, "Running", "Unknown" },
    { "paused by the user", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, "Paused", "User" },
    { "paused by a disk", VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, "Paused", "IOError" },
    { "off by itself", VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, "Shutoff", "Shutdown" },
    { "off by force", VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED, "Shutoff", "Destroyed" },
    { "QEMU died", VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, "Shutoff", "Crashed" },
    { "guest panicked", VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, "Crashed", "Panicked" },
    { "a state of the future", 99, 1, "Unknown", "Unknown" },
};

static void has_words(void **state)
{
    const struct word_case *c = *state;

    assert_string_equal(hypervisor_state_word(c->state), c->state_word);
    assert_string_equal(hypervisor_reason_word(c->state, c->reason), c->reason_word);
}

static void expect(struct hypervisor *h, const char *state, const char *reason)
{
    struct hypervisor_state s;
    struct error e = { 0 };

    if (hypervisor_state(h, &s, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(s.state, state);
    if (reason)
        assert_string_equal(s.reason, reason);
    assert_int_equal(s.is_active, !streq(state, "Shutoff"));
}

static void lives_and_dies(void **state)
{
    struct hypervisor *h = *state;
    struct hypervisor_state s;
    struct error e = { 0 };
    scoped(free) char *machine = NULL;
    json_auto_t *ping = json_q("{'execute':'guest-ping'}");
    json_auto_t *answer = NULL;

    assert_int_equal(hypervisor_state(h, &s, &e), -ERR_NOT_FOUND);
    assert_int_equal(hypervisor_agent_ask(h, ping, 1, &answer, &e), -ERR_NOT_FOUND);
    assert_int_equal(hypervisor_start(h, "<domain", false, &e), -ERR_INVALID);
    assert_int_equal(hypervisor_start(h, domain_xml, false, &e), 0);
    expect(h, "Running", NULL);
    machine = hypervisor_machine(h);
    assert_string_equal(machine, "m1");
    /* This driver has no agents: what was asked is named, nothing is answered. */
    assert_true(hypervisor_agent_ask(h, ping, 1, &answer, &e) < 0);
    assert_memory_equal(e.msg, "guest-ping: ", strlen("guest-ping: "));
    assert_null(answer);
    assert_int_equal(hypervisor_pause(h, &e), 0);
    expect(h, "Paused", "User");
    assert_int_equal(hypervisor_resume(h, &e), 0);
    expect(h, "Running", NULL);
    assert_int_equal(hypervisor_shutdown(h, &e), 0);
    expect(h, "Shutoff", "Shutdown");
    assert_true(hypervisor_pause(h, &e) < 0);
    assert_int_equal(hypervisor_kill(h, &e), 0);
    assert_int_equal(hypervisor_undefine(h, &e), 0);
    assert_int_equal(hypervisor_undefine(h, &e), 0);
    assert_int_equal(hypervisor_state(h, &s, &e), -ERR_NOT_FOUND);
    /* Told on libvirt's own thread, in its own time. */
    for (int i = 0; i < 3000 && atomic_load(&changes) == 0; i++)
        (void)poll(NULL, 0, 10);
    assert_true(atomic_load(&changes) > 0);
}

static void killed_is_destroyed(void **state)
{
    struct hypervisor *h = *state;
    struct error e = { 0 };

    assert_int_equal(hypervisor_start(h, domain_xml, false, &e), 0);
    assert_int_equal(hypervisor_kill(h, &e), 0);
    expect(h, "Shutoff", "Destroyed");
    assert_int_equal(hypervisor_undefine(h, &e), 0);
}

static void unconnected_says_nothing_of_the_machine(void **state)
{
    struct hypervisor *h = *state;
    struct hypervisor_state s;
    struct error e = { 0 };

    assert_int_equal(hypervisor_state(h, &s, &e), -ERR_UNAVAILABLE);
    assert_int_equal(hypervisor_kill(h, &e), -ERR_UNAVAILABLE);
    json_auto_t *answer = NULL;
    assert_int_equal(hypervisor_agent(h, "guest-ping", &answer, &e), -ERR_UNAVAILABLE);
    if (hypervisor_open(h, "test:///default", &e) < 0)
        fail_msg("%s", e.msg);
    assert_int_equal(hypervisor_open(h, "test:///default", &e), 0);
}

int main(void)
{
    struct hypervisor *h = hypervisor_new("vm", &events, NULL);
    const struct CMUnitTest tests[] = {
        { "unconnected says nothing of the machine", unconnected_says_nothing_of_the_machine, NULL,
          NULL, h },
        { "lives and dies", lives_and_dies, NULL, NULL, h },
        { "killed is destroyed", killed_is_destroyed, NULL, NULL, h },
    };
    int bad = RUN_ROWS("hypervisor words", words, has_words);
    bad += cmocka_run_group_tests_name("hypervisor", tests, NULL, NULL);
    hypervisor_free(h);
    return bad;
}
