// SPDX-License-Identifier: Apache-2.0
/* What each call of the API does (spec 05, section 3.2); see launcher.h. */
#include "launcher/launcher.h"

#include <stdlib.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/agent.h"
#include "launcher/domain.h"
#include "launcher/environment.h"
#include "launcher/guest_command.h"
#include "launcher/hypervisor.h"
#include "launcher/machine.h"
#include "launcher/network.h"
#include "launcher/storage.h"

enum { GRACE_DEFAULT_SECONDS = 30 };

static int nothing(struct answer *a)
{
    a->json = json_object();
    return 0;
}

/* The state after a change, read at once so that the next GET shows it. */
static int changed(struct launcher *l, struct answer *a, int result, struct error *e)
{
    struct error ignored;

    if (result < 0)
        return result;
    (void)launcher_refresh(l, &ignored); /* an event brings it anyway */
    return nothing(a);
}

static int must_exist(struct launcher *l, struct error *e)
{
    return machine_is_shown(launcher_machine(l))
               ? 0
               : error_set(e, ERR_NOT_FOUND, "no domain was started yet");
}

/* ---- reading ---- */

int operation_ping(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    const struct launcher_settings *s = launcher_settings(l);

    a->json = must_pack("{s:s,s:s,s:s,s:s}", "uid", s->uid, "name", s->name, "namespace",
                        s->namespace, "version", version_string);
    return 0;
}

int operation_domain(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    a->json = machine_get(launcher_machine(l));
    return a->json ? 0 : must_exist(l, e);
}

/* ---- sync ---- */

static int check_vmi(struct launcher *l, const json_t *vmi, struct error *e)
{
    const struct launcher_settings *s = launcher_settings(l);

    if (!json_is_object(vmi))
        return error_set(e, ERR_BAD_REQUEST, "body has no \"vmi\"");
    if (!streq(meta_uid(vmi), s->uid) || !streq(meta_name(vmi), s->name) ||
        !streq(meta_namespace(vmi), s->namespace))
        return error_set(e, ERR_CONFLICT,
                         "this launcher is for %s/%s with UID %s, not %s/%s with %s", s->namespace,
                         s->name, s->uid, meta_namespace(vmi), meta_name(vmi), meta_uid(vmi));
    return 0;
}

/* Every interface but those that need no tap must have been prepared by virt-handler. */
static int check_network(const struct network *n, const json_t *vmi, struct error *e)
{
    size_t i;
    json_t *interface;

    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, interface) {
        const char *name = jpath_str(interface, "name", "");
        if (!streq(jpath_str(interface, "state", ""), "absent") && !network_find(n, name))
            return error_set(e, ERR_UNAVAILABLE,
                             "the network of interface \"%s\" is not prepared (network.json)",
                             name);
    }
    return 0;
}

static int describe(char **ret_xml, struct launcher *l, const json_t *vmi, const json_t *options,
                    const struct storage_facts *storage, const struct network *n, struct error *e)
{
    const struct launcher_settings *s = launcher_settings(l);
    scoped(free) struct environment *env = must_calloc(1, sizeof(*env));
    struct domain_nic nics[NETWORK_NICS_MAX];

    environment_read(env, s->ovmf_path);
    for (size_t i = 0; i < n->len; i++)
        nics[i] = n->nics[i].nic;
    const struct domain_facts facts = {
        .is_kvm_usable = env->is_kvm_usable,
        .is_emulation_allowed = s->is_emulation_allowed,
        .layout = s->layout,
        .firmware = environment_firmware(env),
        .images = storage->images,
        .images_len = storage->images_len,
        .nics = nics,
        .nics_len = n->len,
        .kernel = storage->kernel,
        .initrd = storage->initrd,
        .cpus = env->cpus,
        .cpus_len = env->cpus_len,
    };
    int r = domain_xml(ret_xml, vmi, options, &facts, e);
    machine_update(launcher_machine(l), must_pack("{s:b}", "emulated", !env->is_kvm_usable));
    environment_done(env);
    return r;
}

/* Everything is known and running: show it. */
static int show(struct launcher *l, const json_t *vmi, const struct network *n, struct error *e)
{
    struct machine *m = launcher_machine(l);
    scoped(free) char *type = hypervisor_machine(launcher_hypervisor(l));

    launcher_set_grace(l,
                       jpath_int(vmi, "spec.terminationGracePeriodSeconds", GRACE_DEFAULT_SECONDS));
    agent_set_domain_interfaces(launcher_agent(l), network_describe(n, vmi));
    machine_update(m, must_pack("{s:o,s:s*}", "disks", domain_disk_targets(vmi), "machine", type));
    int r = launcher_refresh(l, e);
    machine_show(m);
    struct error ignored;
    (void)launcher_refresh(l, &ignored); /* it may have ended before it was shown */
    return r;
}

static int start(struct launcher *l, const json_t *vmi, const json_t *options, struct error *e)
{
    scoped(storage_facts_free) struct storage_facts *storage = must_calloc(1, sizeof(*storage));
    scoped(free) struct network *n = must_calloc(1, sizeof(*n));
    scoped(free) char *xml = NULL;
    bool is_paused = streq(jpath_str(vmi, "spec.startStrategy", ""), "Paused");

    int r = network_read(n, e);
    if (r >= 0)
        r = check_network(n, vmi, e);
    if (r >= 0)
        r = storage_prepare(launcher_storage(l), vmi, storage, e);
    if (r >= 0)
        r = describe(&xml, l, vmi, options, storage, n, e);
    if (r >= 0)
        r = launcher_serve_dhcp(l, n, e);
    if (r >= 0)
        r = hypervisor_start(launcher_hypervisor(l), xml, is_paused, e);
    if (r >= 0) {
        launcher_set_user_paused(l, is_paused);
        r = show(l, vmi, n, e);
    }
    network_done(n);
    return r;
}

/* A machine that runs already: what the user did not stop goes on. */
static int bring_to_spec(struct launcher *l, struct error *e)
{
    struct hypervisor_state s;
    int r = hypervisor_state(launcher_hypervisor(l), &s, e);

    if (r < 0 || !streq(s.state, "Paused") || launcher_is_user_paused(l))
        return r;
    return hypervisor_resume(launcher_hypervisor(l), e);
}

int operation_sync(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    const json_t *vmi = jpath_obj(body, "vmi");

    int r = check_vmi(l, vmi, e);
    if (r < 0)
        return r;
    bool is_running = machine_is_shown(launcher_machine(l));
    r = is_running ? bring_to_spec(l, e) : start(l, vmi, jpath_obj(body, "options"), e);
    if (r < 0) {
        log_warn("sync did not succeed, virt-handler asks again", "error", e->msg);
        return r;
    }
    if (!is_running)
        log_info("guest started", "name", meta_name(vmi));
    struct error ignored;
    (void)launcher_refresh(l, &ignored);
    a->json = machine_get(launcher_machine(l));
    return 0;
}

/* ---- changing ---- */

int operation_pause(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    int r = must_exist(l, e);
    if (r < 0)
        return r;
    r = hypervisor_pause(launcher_hypervisor(l), e);
    if (r >= 0)
        launcher_set_user_paused(l, true);
    return changed(l, a, r, e);
}

int operation_unpause(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    struct error ignored;
    int r = must_exist(l, e);

    if (r < 0)
        return r;
    r = hypervisor_resume(launcher_hypervisor(l), e);
    if (r >= 0) {
        launcher_set_user_paused(l, false);
        json_auto_t *domain = machine_get(launcher_machine(l));
        if (jpath_bool(domain, "agentConnected", false) &&
            hypervisor_sync_time(launcher_hypervisor(l), &ignored) < 0)
            log_info("the guest's clock was not set after unpause", "error", ignored.msg);
    }
    return changed(l, a, r, e);
}

int operation_reset(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    int r = must_exist(l, e);
    if (r >= 0)
        r = hypervisor_reset(launcher_hypervisor(l), e);
    return changed(l, a, r, e);
}

int operation_softreboot(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    json_auto_t *domain = machine_get(launcher_machine(l));
    int r = must_exist(l, e);

    if (r >= 0)
        r = hypervisor_reboot(launcher_hypervisor(l), jpath_bool(domain, "agentConnected", false),
                              e);
    return changed(l, a, r, e);
}

int operation_shutdown(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    int r = must_exist(l, e);

    if (r < 0)
        return r;
    launcher_note_shutdown(l);
    return changed(l, a, hypervisor_shutdown(launcher_hypervisor(l), e), e);
}

int operation_kill(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    int r = must_exist(l, e);
    if (r >= 0)
        r = hypervisor_kill(launcher_hypervisor(l), e);
    return changed(l, a, r, e);
}

int operation_delete(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    struct hypervisor_state s;
    int r = hypervisor_state(launcher_hypervisor(l), &s, e);

    if (r < 0 && r != -ERR_NOT_FOUND)
        return r;
    if (r >= 0 && s.is_active)
        return error_set(e, ERR_CONFLICT, "the guest still runs; kill it first");
    r = hypervisor_undefine(launcher_hypervisor(l), e);
    if (r < 0)
        return r;
    launcher_end(l, LAUNCHER_ENDED);
    return nothing(a);
}

/* ---- guest and screen ---- */

static int must_have_agent(struct launcher *l, struct error *e)
{
    json_auto_t *domain = machine_get(launcher_machine(l));

    if (!domain)
        return must_exist(l, e);
    if (!jpath_bool(domain, "agentConnected", false))
        return error_set(e, ERR_CONFLICT, "the guest agent is not connected");
    return 0;
}

/* A fact of the agent, or `empty` (taken) when it did not tell it yet. */
static json_t *fact_or(struct launcher *l, enum agent_fact fact, json_t *empty)
{
    json_t *v = agent_get(launcher_agent(l), fact);
    if (!v)
        return empty;
    json_decref(empty);
    return v;
}

int operation_guest_info(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    int r = must_have_agent(l, e);
    if (r < 0)
        return r;
    json_auto_t *info = fact_or(l, AGENT_INFO, json_object());
    json_t *out = json_object();

    jpath_set_str(out, "guestAgentVersion", jpath_str(info, "version", ""));
    must_set(out, "supportedCommands",
             json_incref(jpath_arr(info, "supportedCommands")) ?: json_array());
    must_set(out, "hostname", fact_or(l, AGENT_HOSTNAME, json_string("")));
    must_set(out, "os", fact_or(l, AGENT_OS, json_object()));
    must_set(out, "timezone", fact_or(l, AGENT_TIMEZONE, json_string("")));
    must_set(out, "userList", fact_or(l, AGENT_USERS, json_array()));
    must_set(out, "fsInfo",
             must_pack("{s:o}", "disks", fact_or(l, AGENT_FILESYSTEMS, json_array())));
    a->json = out;
    return 0;
}

static int list_of(struct launcher *l, enum agent_fact fact, struct answer *a, struct error *e)
{
    int r = must_have_agent(l, e);
    if (r < 0)
        return r;
    a->json = must_pack("{s:{},s:o}", "metadata", "items", fact_or(l, fact, json_array()));
    return 0;
}

int operation_users(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    return list_of(l, AGENT_USERS, a, e);
}

int operation_filesystems(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    return list_of(l, AGENT_FILESYSTEMS, a, e);
}

int operation_screenshot(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    scoped(free) char *mime = NULL;
    int r = must_exist(l, e);

    if (r >= 0)
        r = hypervisor_screenshot(launcher_hypervisor(l), &a->bytes, &mime, e);
    if (r < 0)
        return r;
    if (!streq(mime, "image/png"))
        return error_set(e, ERR_UNAVAILABLE, "QEMU gives %s (wanted: QEMU 7.1 or later for PNG)",
                         mime);
    a->content_type = "image/png";
    return 0;
}

/* ---- probes ---- */

static int ask_agent(void *arg, const json_t *request, int timeout_seconds, json_t **ret,
                     struct error *e)
{
    return hypervisor_agent_ask(launcher_hypervisor(arg), request, timeout_seconds, ret, e);
}

static int read_order(struct guest_order *ret, struct launcher *l, const json_t *body,
                      bool is_command, struct error *e)
{
    const struct launcher_settings *s = launcher_settings(l);
    scoped(free) char *domain = must_asprintf("%s_%s", s->namespace, s->name);

    int r = must_exist(l, e);
    return r < 0 ? r : guest_order_read(ret, body, is_command, domain, e);
}

int operation_guest_ping(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    struct guest_order order;
    struct hypervisor_state s;

    int r = read_order(&order, l, body, false, e);
    if (r >= 0)
        r = hypervisor_state(launcher_hypervisor(l), &s, e);
    if (r >= 0 && !guest_is_held(&s))
        r = guest_ping(&order, ask_agent, l, e);
    return r < 0 ? r : nothing(a);
}

int operation_guest_exec(struct launcher *l, const json_t *body, struct answer *a, struct error *e)
{
    struct guest_order order;

    int r = read_order(&order, l, body, true, e);
    return r < 0 ? r : guest_run(&order, ask_agent, l, &a->json, e);
}
