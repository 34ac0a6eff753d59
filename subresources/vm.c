/* SPDX-License-Identifier: Apache-2.0 */
/* start, stop, restart: read both objects, plan (power.c), send the plan. */
#include "subresources/vm.h"

#include "base/jpath.h"
#include "base/log.h"
#include "base/str.h"
#include "kube/client.h"
#include "subresources/call.h"
#include "subresources/power.h"

typedef int plan_fn(const json_t *vm, const json_t *vmi, const json_t *options,
                    struct power_plan *ret, struct error *e);

/* The machine, and its instance or NULL. */
static int read_both(struct sub_call *c, json_t **ret_vm, json_t **ret_vmi, struct error *e)
{
    int r = sub_get_vm(c, ret_vm, e);
    if (r < 0)
        return r;
    r = sub_get_vmi(c, ret_vmi, e);
    return r == -ERR_NOT_FOUND ? 0 : r;
}

/* A patch whose test operation failed: somebody else was faster. */
static int explain_patch(const struct sub_call *c, int r, struct error *e)
{
    bool is_test = r < 0 && (strstr(e->msg, "test operation does not apply") ||
                             strstr(e->msg, "testing path") || strstr(e->msg, "testing value"));

    if (is_test)
        return sub_conflict(c, c->match.target, e, "it was changed meanwhile: try again");
    return r;
}

static int send_plan(struct sub_call *c, const struct power_plan *p, struct error *e)
{
    const char *ns = c->match.namespace;
    const char *name = c->match.name;
    const char *query = c->is_dry_run ? "dryRun=All" : NULL;
    struct kube *k = c->env->kube;
    int r = 0;

    if (p->vmi_patch)
        r = kube_patch(k, &KIND_VMI, ns, name, NULL, KUBE_PATCH_JSON, p->vmi_patch, query, NULL, e);
    if (r < 0)
        return explain_patch(c, r, e);
    if (!p->vm_patch)
        return 0;

    r = kube_patch(k, &KIND_VM, ns, name, p->vm_sub, KUBE_PATCH_JSON, p->vm_patch, query, NULL, e);
    if (r < 0 && p->vmi_undo && !c->is_dry_run) {
        struct error undo;

        if (kube_patch(k, &KIND_VMI, ns, name, NULL, KUBE_PATCH_JSON, p->vmi_undo, NULL, NULL,
                       &undo) < 0)
            log_warn("grace period of the instance stays shortened", "ns", ns, "name", name,
                     "error", undo.msg);
    }
    return explain_patch(c, r, e);
}

static void change_power(struct sub_call *c, plan_fn *plan)
{
    struct error e = { 0 };
    json_auto_t *vm = NULL;
    json_auto_t *vmi = NULL;
    struct power_plan p = { 0 };

    int r = read_both(c, &vm, &vmi, &e);
    if (r == 0)
        r = plan(vm, vmi, c->body, &p, &e);
    if (r == 0)
        r = send_plan(c, &p, &e);
    else if (r == -ERR_CONFLICT && !strstr(e.msg, "Operation cannot be fulfilled")) {
        struct error why = e;

        sub_conflict(c, ROUTE_VM, &e, why.msg);
    }
    power_plan_done(&p);

    if (r < 0)
        sub_reply_error(c, &e);
    else
        sub_reply_empty(c, 202);
}

void vm_start(struct sub_call *c)
{
    change_power(c, power_start);
}

void vm_stop(struct sub_call *c)
{
    change_power(c, power_stop);
}

void vm_restart(struct sub_call *c)
{
    change_power(c, power_restart);
}
