// SPDX-License-Identifier: Apache-2.0
/* libvirt behind hypervisor.h; the words for states are in hypervisor_words.c. */
#include "launcher/hypervisor.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/hypervisor_words.h"
#include "launcher/layout.h"

enum {
    KEEPALIVE_SECONDS = 5,
    KEEPALIVE_COUNT = 3,
    AGENT_TIMEOUT_SECONDS = 5,
    AGENT_ANSWER_MAX = 4 * 1024 * 1024,
    SCREENSHOT_MAX = 64 * 1024 * 1024,
};

struct hypervisor {
    char *name;
    struct hypervisor_events events;
    void *arg;
    pthread_t thread; /* libvirt's event loop */
    atomic_bool is_stopping;
    int tick; /* a timer that lets the event loop look at is_stopping */

    pthread_mutex_t lock;
    virConnectPtr conn; /* guarded by lock */
};

DEFINE_SCOPE(virConnect, virConnectClose)
DEFINE_SCOPE(virDomain, virDomainFree)

// clang-format off
static const struct {
    int libvirt;
    enum error_code code;
} error_map[] = {
    { VIR_ERR_NO_DOMAIN,           ERR_NOT_FOUND },
    { VIR_ERR_OPERATION_TIMEOUT,   ERR_TIMEOUT },
    { VIR_ERR_AGENT_UNRESPONSIVE,  ERR_UNAVAILABLE },
    { VIR_ERR_AGENT_UNSYNCED,      ERR_UNAVAILABLE },
    { VIR_ERR_OPERATION_INVALID,   ERR_CONFLICT },
    { VIR_ERR_CONFIG_UNSUPPORTED,  ERR_INVALID },
    { VIR_ERR_XML_ERROR,           ERR_INVALID },
    { VIR_ERR_XML_DETAIL,          ERR_INVALID },
    { VIR_ERR_NO_CONNECT,          ERR_UNAVAILABLE },
    { VIR_ERR_RPC,                 ERR_UNAVAILABLE },
};
// clang-format on

/* What libvirt said last on this thread. */
static int failed(struct error *e, const char *what)
{
    virErrorPtr last = virGetLastError();
    enum error_code code = ERR_INTERNAL;

    if (last && last->domain == VIR_FROM_RPC)
        code = ERR_UNAVAILABLE; /* the way to the daemon, not the machine */
    for (size_t i = 0; last && i < countof(error_map); i++)
        if (last->code == error_map[i].libvirt)
            code = error_map[i].code;
    return error_set(e, code, "%s: %s", what,
                     last && last->message ? last->message : "libvirt gives no reason");
}

static void ignore_report(void *arg, virErrorPtr error)
{
    /* libvirt would print every error to stderr; ours carry it. */
}

/* ---- events ---- */

static int on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *arg)
{
    struct hypervisor *h = arg;
    h->events.on_change(h->arg);
    return 0;
}

static void on_agent(virConnectPtr conn, virDomainPtr dom, int state, int reason, void *arg)
{
    struct hypervisor *h = arg;
    h->events.on_agent(state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED, h->arg);
}

static void on_close(virConnectPtr conn, int reason, void *arg)
{
    struct hypervisor *h = arg;
    h->events.on_lost(h->arg);
}

static void on_tick(int timer, void *arg)
{
}

static void *event_thread(void *arg)
{
    struct hypervisor *h = arg;

    (void)pthread_setname_np(pthread_self(), "libvirt");
    while (!atomic_load(&h->is_stopping))
        if (virEventRunDefaultImpl() < 0)
            log_warn("libvirt's event loop, going on", "error", virGetLastErrorMessage());
    return NULL;
}

struct hypervisor *hypervisor_new(const char *name, const struct hypervisor_events *events,
                                  void *arg)
{
    struct hypervisor *h = must_calloc(1, sizeof(*h));

    h->name = must_strdup(name);
    h->events = *events;
    h->arg = arg;
    must(pthread_mutex_init(&h->lock, NULL) == 0);
    must(virInitialize() == 0);
    virSetErrorFunc(NULL, ignore_report);
    must(virEventRegisterDefaultImpl() == 0);
    h->tick = virEventAddTimeout(-1, on_tick, NULL, NULL);
    must(h->tick >= 0);
    must(pthread_create(&h->thread, NULL, event_thread, h) == 0);
    return h;
}

void hypervisor_free(struct hypervisor *h)
{
    if (!h)
        return;
    if (h->conn) {
        (void)virConnectUnregisterCloseCallback(h->conn, on_close);
        (void)virConnectClose(h->conn);
    }
    atomic_store(&h->is_stopping, true);
    virEventUpdateTimeout(h->tick, 0);
    (void)pthread_join(h->thread, NULL);
    (void)virEventRemoveTimeout(h->tick);
    (void)pthread_mutex_destroy(&h->lock);
    free(h->name);
    free(h);
}

/* ---- connection ---- */

/* Events of no domain in particular: there is only one. */
static int subscribe(struct hypervisor *h, virConnectPtr conn)
{
    if (virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), h, NULL) < 0)
        return -1;
    if (virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(on_agent), h, NULL) < 0)
        return -1;
    /* Drivers without a daemon (libvirt's test driver) have nothing to keep alive. */
    if (virConnectSetKeepAlive(conn, KEEPALIVE_SECONDS, KEEPALIVE_COUNT) < 0 &&
        virGetLastErrorCode() != VIR_ERR_NO_SUPPORT)
        return -1;
    return virConnectRegisterCloseCallback(conn, on_close, h, NULL);
}

int hypervisor_open(struct hypervisor *h, const char *uri, struct error *e)
{
    scoped(virConnectClose) virConnectPtr conn = virConnectOpen(uri);
    if (!conn)
        return failed(e, "connect to libvirt");
    if (subscribe(h, conn) < 0)
        return failed(e, "subscribe to libvirt's events");

    (void)pthread_mutex_lock(&h->lock);
    virConnectPtr old = h->conn;
    h->conn = TAKE(conn);
    (void)pthread_mutex_unlock(&h->lock);
    if (old) {
        (void)virConnectUnregisterCloseCallback(old, on_close);
        (void)virConnectClose(old);
    }
    return 0;
}

/* A reference of its own on the connection, or NULL. */
static virConnectPtr connection(struct hypervisor *h, struct error *e)
{
    (void)pthread_mutex_lock(&h->lock);
    virConnectPtr conn = h->conn;
    if (conn)
        (void)virConnectRef(conn);
    (void)pthread_mutex_unlock(&h->lock);
    if (!conn)
        error_set(e, ERR_UNAVAILABLE, "libvirt is not connected yet");
    return conn;
}

/* The domain, new; NULL with *e filled. */
static virDomainPtr domain(struct hypervisor *h, struct error *e)
{
    scoped(virConnectClose) virConnectPtr conn = connection(h, e);
    if (!conn)
        return NULL;
    virDomainPtr dom = virDomainLookupByName(conn, h->name);
    if (!dom)
        failed(e, "look the domain up");
    return dom;
}

/* ---- state ---- */

static pid_t qemu_pid(const char *name)
{
    scoped(free) char *path = must_asprintf(LIBVIRT_RUN_DIR "/qemu/run/%s.pid", name);
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[24] = "";
    long long pid;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return 0;
    text[strcspn(text, "\r\n")] = '\0';
    return str_to_int(text, 1, INT32_MAX, &pid) == 0 ? (pid_t)pid : 0;
}

/* libvirt notes the agent's state on its channel in the live description. */
static bool is_agent_connected(virDomainPtr dom)
{
    scoped(free) char *xml = virDomainGetXMLDesc(dom, 0);
    const char *at = xml ? strstr(xml, "name='org.qemu.guest_agent.0'") : NULL;
    const char *end = at ? strchr(at, '>') : NULL;
    const char *state = at ? strstr(at, "state='connected'") : NULL;

    return state && end && state < end;
}

int hypervisor_state(struct hypervisor *h, struct hypervisor_state *ret, struct error *e)
{
    int state, reason;
    scoped(virDomainFree) virDomainPtr dom = domain(h, e);

    *ret = (struct hypervisor_state){ .state = "Unknown", .reason = "Unknown" };
    if (!dom)
        return -(int)e->code;
    if (virDomainGetState(dom, &state, &reason, 0) < 0)
        return failed(e, "read the domain's state");
    ret->state = hypervisor_state_word(state);
    ret->reason = hypervisor_reason_word(state, reason);
    ret->is_active = state != VIR_DOMAIN_SHUTOFF;
    ret->pid = ret->is_active ? qemu_pid(h->name) : 0;
    ret->is_agent_connected = ret->is_active && is_agent_connected(dom);
    return 0;
}

char *hypervisor_machine(struct hypervisor *h)
{
    struct error ignored;
    scoped(virDomainFree) virDomainPtr dom = domain(h, &ignored);
    scoped(free) char *xml = dom ? virDomainGetXMLDesc(dom, 0) : NULL;
    const char *at = xml ? strstr(xml, " machine='") : NULL;

    if (!at)
        return NULL;
    at += strlen(" machine='");
    return must_strndup(at, strcspn(at, "'"));
}

/* ---- life ---- */

int hypervisor_start(struct hypervisor *h, const char *xml, bool paused, struct error *e)
{
    scoped(virConnectClose) virConnectPtr conn = connection(h, e);
    if (!conn)
        return -ERR_UNAVAILABLE;
    scoped(virDomainFree) virDomainPtr dom = virDomainDefineXML(conn, xml);
    if (!dom)
        return failed(e, "define the domain");
    if (virDomainCreateWithFlags(dom, paused ? VIR_DOMAIN_START_PAUSED : 0) < 0) {
        int r = failed(e, "start the domain");
        (void)virDomainUndefineFlags(dom, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
        return r;
    }
    (void)virDomainAgentSetResponseTimeout(dom, AGENT_TIMEOUT_SECONDS, 0);
    return 0;
}

typedef int domain_call_fn(virDomainPtr dom);

/* Look the domain up, do one thing with it. */
static int call(struct hypervisor *h, domain_call_fn *fn, const char *what, struct error *e)
{
    scoped(virDomainFree) virDomainPtr dom = domain(h, e);
    if (!dom)
        return -(int)e->code;
    return fn(dom) < 0 ? failed(e, what) : 0;
}

static int call_reset(virDomainPtr dom)
{
    return virDomainReset(dom, 0);
}

static int call_shutdown(virDomainPtr dom)
{
    return virDomainShutdownFlags(dom, VIR_DOMAIN_SHUTDOWN_DEFAULT);
}

static int call_reboot_agent(virDomainPtr dom)
{
    return virDomainReboot(dom, VIR_DOMAIN_REBOOT_GUEST_AGENT);
}

static int call_reboot_acpi(virDomainPtr dom)
{
    return virDomainReboot(dom, VIR_DOMAIN_REBOOT_ACPI_POWER_BTN);
}

static int call_sync_time(virDomainPtr dom)
{
    return virDomainSetTime(dom, 0, 0, VIR_DOMAIN_TIME_SYNC);
}

/* SIGTERM first, so that QEMU can flush its disks; SIGKILL when it does not listen. */
static int call_kill(virDomainPtr dom)
{
    if (virDomainIsActive(dom) == 0)
        return 0;
    if (virDomainDestroyFlags(dom, VIR_DOMAIN_DESTROY_GRACEFUL) == 0)
        return 0;
    return virDomainIsActive(dom) == 0 ? 0 : virDomainDestroy(dom);
}

static int call_undefine(virDomainPtr dom)
{
    const unsigned flags = VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
                           VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                           VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;

    if (virDomainUndefineFlags(dom, flags) == 0)
        return 0;
    /* A driver that knows fewer flags refuses them all. */
    return virGetLastErrorCode() == VIR_ERR_INVALID_ARG ? virDomainUndefine(dom) : -1;
}

int hypervisor_pause(struct hypervisor *h, struct error *e)
{
    return call(h, virDomainSuspend, "pause", e);
}

int hypervisor_resume(struct hypervisor *h, struct error *e)
{
    return call(h, virDomainResume, "unpause", e);
}

int hypervisor_reset(struct hypervisor *h, struct error *e)
{
    return call(h, call_reset, "reset", e);
}

int hypervisor_reboot(struct hypervisor *h, bool by_agent, struct error *e)
{
    return call(h, by_agent ? call_reboot_agent : call_reboot_acpi, "reboot", e);
}

int hypervisor_shutdown(struct hypervisor *h, struct error *e)
{
    return call(h, call_shutdown, "shut the guest down", e);
}

int hypervisor_sync_time(struct hypervisor *h, struct error *e)
{
    return call(h, call_sync_time, "set the guest's clock", e);
}

int hypervisor_kill(struct hypervisor *h, struct error *e)
{
    int r = call(h, call_kill, "kill", e);
    return r == -ERR_NOT_FOUND ? 0 : r;
}

int hypervisor_undefine(struct hypervisor *h, struct error *e)
{
    int r = call(h, call_undefine, "undefine", e);
    return r == -ERR_NOT_FOUND ? 0 : r;
}

/* ---- screen and agent ---- */

static int take_bytes(virStreamPtr stream, const char *data, size_t len, void *arg)
{
    struct buf *out = arg;
    return buf_add(out, data, len) ? (int)len : -1;
}

int hypervisor_screenshot(struct hypervisor *h, struct buf *out, char **ret_mime, struct error *e)
{
    scoped(virConnectClose) virConnectPtr conn = connection(h, e);
    scoped(virDomainFree) virDomainPtr dom = conn ? domain(h, e) : NULL;
    if (!dom)
        return -(int)e->code;

    virStreamPtr stream = virStreamNew(conn, 0);
    int r = 0;
    *out = BUF_INIT(SCREENSHOT_MAX);
    *ret_mime = virDomainScreenshot(dom, stream, 0, 0);
    if (!*ret_mime || virStreamRecvAll(stream, take_bytes, out) < 0) {
        r = failed(e, "screenshot");
        (void)virStreamAbort(stream);
    } else if (virStreamFinish(stream) < 0) {
        r = failed(e, "screenshot");
    }
    (void)virStreamFree(stream);
    return r;
}

int hypervisor_agent_ask(struct hypervisor *h, const json_t *request, int timeout_seconds,
                         json_t **ret, struct error *e)
{
    const char *command = jpath_str(request, "execute", "");
    scoped(virDomainFree) virDomainPtr dom = domain(h, e);
    if (!dom)
        return -(int)e->code;
    scoped(free) char *words = must_dumps(request, 0);
    scoped(free) char *text = virDomainQemuAgentCommand(dom, words, timeout_seconds, 0);
    if (!text)
        return failed(e, command);

    json_auto_t *answer = NULL;
    size_t len = strlen(text);
    if (len > AGENT_ANSWER_MAX)
        return error_set(e, ERR_TOO_LARGE, "guest agent, %s: the answer is too long", command);
    int r = json_parse(&answer, text, len, e);
    if (r < 0)
        return error_wrap(e, "guest agent, %s", command);
    *ret = json_incref(jpath(answer, "return"));
    return *ret ? 0 : error_set(e, ERR_INTERNAL, "guest agent, %s: no answer in it", command);
}

int hypervisor_agent(struct hypervisor *h, const char *command, json_t **ret, struct error *e)
{
    json_auto_t *request = must_pack("{s:s}", "execute", command);
    return hypervisor_agent_ask(h, request, AGENT_TIMEOUT_SECONDS, ret, e);
}
