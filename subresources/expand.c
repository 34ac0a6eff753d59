/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/expand.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/cluster_config.h"
#include "kube/matcher.h"
#include "openapi/findings.h"
#include "openapi/kinds.h"
#include "openapi/validate.h"
#include "openapi/vm_expand.h"
#include "subresources/call.h"

/* The machine with what its types and the defaults give; the references are gone.  New. */
static int expand(const struct sub_env *env, const struct cluster_config *config, const json_t *vm,
                  const json_t *const types[MATCHERS], json_t **ret, struct error *e)
{
    scoped_findings faults;

    findings_init(&faults);
    json_auto_t *whole = vm_with_types(vm, jpath_obj(types[MATCHER_INSTANCETYPE], "spec"),
                                       jpath_obj(types[MATCHER_PREFERENCE], "spec"),
                                       config->default_network_interface, &faults);
    if (!whole) {
        scoped(free) char *message = findings_message(&faults);
        return error_set(e, ERR_INVALID, "%s", message);
    }
    int r = env->vmi_defaults(jpath_make_obj(whole, "spec.template.spec"), config, e);
    if (r < 0)
        return r;
    for (size_t m = 0; m < MATCHERS; m++) {
        jpath_del(whole, matcher_rows[m].path);
        jpath_del(whole, matcher_rows[m].status);
    }
    *ret = json_incref(whole);
    return 0;
}

/* A machine that names no type is given back as it is. */
static int expand_vm(const struct sub_env *env, const json_t *vm, const char *ns, json_t **ret,
                     struct error *e)
{
    json_auto_t *type = NULL;
    json_auto_t *preference = NULL;

    if (!matcher_of(MATCHER_INSTANCETYPE, vm) && !matcher_of(MATCHER_PREFERENCE, vm)) {
        *ret = json_incref((json_t *)vm);
        return 0;
    }
    int r = matcher_get(env->kube, MATCHER_INSTANCETYPE, vm, ns, &type, e);
    if (r >= 0)
        r = matcher_get(env->kube, MATCHER_PREFERENCE, vm, ns, &preference, e);
    if (r < 0)
        return r;

    const json_t *types[] = { [MATCHER_INSTANCETYPE] = type, [MATCHER_PREFERENCE] = preference };
    struct cluster_config *config = cluster_config_store_get(env->config);
    r = expand(env, config, vm, types, ret, e);
    cluster_config_unref(config);
    return r;
}

/* ---- a machine that is sent ---- */

/* The body's machine, valid and of the path's namespace; faults of its schema go to *faults. */
static int read_given(struct sub_call *c, json_t **ret, struct findings *faults, struct error *e)
{
    size_t len;
    const void *data = http_call_body(c->http, &len);
    json_auto_t *vm = NULL;

    if (len == 0)
        return error_set(e, ERR_BAD_REQUEST, "the body is empty: send a VirtualMachine");
    int r = json_parse(&vm, data, len, e);
    if (r < 0)
        return error_wrap(e, "the body is not a VirtualMachine");
    if (json_is_object(vm))
        schema_validate(&kind_vm, vm, faults);
    if (!json_is_object(vm) || findings_any(faults))
        return error_set(e, ERR_BAD_REQUEST, "Object is not a valid VirtualMachine");

    const char *ns = meta_namespace(vm);
    if (*ns && !streq(ns, c->match.namespace))
        return error_set(e, ERR_BAD_REQUEST,
                         "metadata.namespace is \"%s\", the request's is \"%s\"", ns,
                         c->match.namespace);
    *ret = json_incref(vm);
    return 0;
}

void vm_expand_given(struct sub_call *c)
{
    json_auto_t *vm = NULL;
    json_auto_t *whole = NULL;
    struct error e = { 0 };
    scoped_findings faults;

    findings_init(&faults);
    int r = read_given(c, &vm, &faults, &e);
    if (r == 0) {
        r = expand_vm(c->env, vm, c->match.namespace, &whole, &e);
        if (r < 0 && !error_is_unanswered(r))
            e.code = ERR_BAD_REQUEST;
    }
    if (r == 0) {
        sub_reply_json(c, 200, whole);
        return;
    }
    json_auto_t *details = must_pack("{s:o}", "causes", findings_causes(&faults));
    http_reply_error(c->http, &e, details);
    sub_call_free(c);
}

/* ---- a stored machine ---- */

void vm_expand_spec(struct sub_call *c)
{
    json_auto_t *vm = NULL;
    json_auto_t *whole = NULL;
    struct error e = { 0 };

    int r = sub_get_vm(c, &vm, &e);
    if (r == 0) {
        r = expand_vm(c->env, vm, c->match.namespace, &whole, &e);
        if (r < 0 && !error_is_unanswered(r))
            e.code = ERR_INTERNAL; /* the machine itself is there */
    }
    if (r < 0)
        sub_reply_error(c, &e);
    else
        sub_reply_json(c, 200, whole);
}
