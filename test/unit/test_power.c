/* SPDX-License-Identifier: Apache-2.0 */
/* What start, stop and restart come down to, by run strategy and state of the instance (spec 01,
 * section 6). */
#include "subresources/power.h"

#include "base/jpath.h"
#include "base/str.h"
#include "test/unit/rows.h"

#define HALTED "{'spec':{'runStrategy':'Halted'},'status':{'ready':false}}"
#define ALWAYS "{'spec':{'runStrategy':'Always'},'status':{'ready':true}}"
#define MANUAL "{'spec':{'runStrategy':'Manual'},'status':{'ready':true}}"
#define RERUN "{'spec':{'runStrategy':'RerunOnFailure'},'status':{'ready':true}}"
#define ONCE "{'spec':{'runStrategy':'Once'},'status':{'ready':true}}"
#define RUNNING "{'metadata':{'uid':'u'},'spec':{},'status':{'phase':'Running'}}"
#define FAILED "{'metadata':{'uid':'u'},'spec':{},'status':{'phase':'Failed'}}"
#define ENDED "{'metadata':{'uid':'u'},'spec':{},'status':{'phase':'Succeeded'}}"
#define REQUESTS "/status/stateChangeRequests"

typedef int plan_fn(const json_t *vm, const json_t *vmi, const json_t *options,
                    struct power_plan *ret, struct error *e);

static const struct row {
    const char *name;
    plan_fn *plan;
    const char *vm, *vmi, *options;
    enum error_code code; /* ERR_NONE: planned */
    const char *vm_patch; /* NULL: none */
    const char *vm_sub;
    const char *vmi_patch; /* NULL: none */
} rows[] = {
    { "start halted: the strategy becomes Always", power_start, HALTED, NULL, "{}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Halted'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Always'}]" },
    { "start of a VM with running: false", power_start, "{'spec':{'running':false}}", NULL, "{}",

      .vm_patch = "[{'op':'test','path':'/spec/running','value':false},"
                  "{'op':'replace','path':'/spec/running','value':true}]" },
    { "start halted, paused: a request", power_start, HALTED, NULL, "{'paused':true}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Start','data':{'paused':'true'}}]}]",
      .vm_sub = "status" },
    { "start with an empty status: the whole status is added", power_start,
      "{'spec':{'runStrategy':'Manual'}}", NULL, "{}",
      .vm_patch =
          "[{'op':'add','path':'/status','value':{'stateChangeRequests':[{'action':'Start'}]}}]",
      .vm_sub = "status" },
    { "start forgets the failures that held it back", power_start,
      "{'spec':{'runStrategy':'Manual'},'status':{'startFailure':{'consecutiveFailCount':2}}}",
      NULL, "{}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Start'}]},{'op':'remove','path':'/status/startFailure'}]",
      .vm_sub = "status" },
    { "start manual after an end: stop the old, start anew", power_start, MANUAL, FAILED, "{}",

      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'},{'action':'Start'}]}]",
      .vm_sub = "status" },
    { "start rerun after success", power_start, RERUN, ENDED, "{}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'},{'action':'Start'}]}]",
      .vm_sub = "status" },
    { "start rerun after failure is refused", power_start, RERUN, FAILED, "{}",
      .code = ERR_CONFLICT },
    { "start of a running one is refused", power_start, HALTED, RUNNING, "{}",
      .code = ERR_CONFLICT },
    { "start always is refused", power_start, ALWAYS, NULL, "{}", .code = ERR_CONFLICT },
    { "start once is refused", power_start, ONCE, NULL, "{}", .code = ERR_CONFLICT },
    { "start of a receiver does nothing", power_start, "{'spec':{'runStrategy':'WaitAsReceiver'}}",
      NULL, "{}", .code = ERR_NONE },
    { "start while another is underway", power_start,
      "{'spec':{'runStrategy':'Manual'},'status':{'stateChangeRequests':[{'action':'Start'}]}}",
      NULL, "{}", .code = ERR_CONFLICT },
    { "start that needs recovery first", power_start,
      "{'spec':{'runStrategy':'Halted'},'status':{'conditions':[{'type':'ManualRecoveryRequired',"
      "'status':'True'}]}}",
      NULL, "{}", .code = ERR_CONFLICT },
    { "both ways to say whether it runs", power_start,
      "{'spec':{'running':true,'runStrategy':'Always'}}", NULL, "{}", .code = ERR_INTERNAL },

    { "stop always: the strategy becomes Halted", power_stop, ALWAYS, RUNNING, "{}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Always'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Halted'}]" },
    { "stop always that does not run", power_stop, ALWAYS, NULL, "{}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Always'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Halted'}]" },
    { "stop manual: a request with the uid", power_stop, MANUAL, RUNNING, "{}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'}]}]",
      .vm_sub = "status" },
    { "stop replaces what is underway", power_stop,
      "{'spec':{'runStrategy':'Manual'},'status':{'stateChangeRequests':[{'action':'Start'}]}}",
      RUNNING, "{}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS
                  "','value':[{'action':'Start'}]},{'op':'replace','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'}]}]",
      .vm_sub = "status" },
    { "stop manual that does not run", power_stop, MANUAL, NULL, "{}", .code = ERR_CONFLICT },
    { "stop manual that has ended", power_stop, MANUAL, ENDED, "{}", .code = ERR_CONFLICT },
    { "stop halted that still shuts down needs a shorter grace period", power_stop, HALTED, RUNNING,
      "{}", .code = ERR_CONFLICT },
    { "stop halted with a shorter one", power_stop, HALTED,
      "{'metadata':{'uid':'u'},'spec':{'terminationGracePeriodSeconds':30},'status':{'phase':'Running'}}",
      "{'gracePeriod':0}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'}]}]",
      .vm_sub = "status",
      .vmi_patch = "[{'op':'test','path':'/spec/terminationGracePeriodSeconds','value':30},"
                   "{'op':'replace','path':'/spec/terminationGracePeriodSeconds','value':0}]" },
    { "stop halted with a longer one", power_stop, HALTED,
      "{'metadata':{'uid':'u'},'spec':{'terminationGracePeriodSeconds':30},'status':{'phase':'Running'}}",
      "{'gracePeriod':30}", .code = ERR_CONFLICT },
    { "stop with a negative grace period", power_stop, ALWAYS, RUNNING, "{'gracePeriod':-1}",
      .code = ERR_BAD_REQUEST },
    { "stop of an instance without grace period adds one", power_stop, ALWAYS, RUNNING,
      "{'gracePeriod':5}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Always'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Halted'}]",
      .vmi_patch = "[{'op':'test','path':'/spec/terminationGracePeriodSeconds','value':null},"
                   "{'op':'add','path':'/spec/terminationGracePeriodSeconds','value':5}]" },

    { "restart: stop and start", power_restart, ALWAYS, RUNNING, "{}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'},{'action':'Start'}]}]",
      .vm_sub = "status" },
    { "restart at once", power_restart, ALWAYS, RUNNING, "{'gracePeriodSeconds':0}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'},{'action':'Start'}]}]",
      .vm_sub = "status",
      .vmi_patch = "[{'op':'test','path':'/spec/terminationGracePeriodSeconds','value':null},"
                   "{'op':'add','path':'/spec/terminationGracePeriodSeconds','value':1}]" },
    { "restart with another grace period", power_restart, ALWAYS, RUNNING,
      "{'gracePeriodSeconds':5}", .code = ERR_BAD_REQUEST },
    { "restart halted", power_restart, HALTED, RUNNING, "{}", .code = ERR_CONFLICT },
    { "restart once", power_restart, ONCE, RUNNING, "{}", .code = ERR_CONFLICT },
    { "restart of one that does not run", power_restart, ALWAYS, NULL, "{}", .code = ERR_CONFLICT },
    { "restart of one that has ended, and has no grace period to shorten", power_restart, MANUAL,
      ENDED, "{'gracePeriodSeconds':0}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Stop','uid':'u'},{'action':'Start'}]}]",
      .vm_sub = "status" },
    { "restart while a stop is underway", power_restart,
      "{'spec':{'runStrategy':'Manual'},'status':{'stateChangeRequests':[{'action':'Stop'}]}}",
      RUNNING, "{'gracePeriodSeconds':0}", .code = ERR_CONFLICT },
    { "stop with both ways to say whether it runs", power_stop,
      "{'spec':{'running':true,'runStrategy':'Always'}}", RUNNING, "{}", .code = ERR_INTERNAL },
    { "restart with both ways to say whether it runs", power_restart,
      "{'spec':{'running':true,'runStrategy':'Always'}}", RUNNING, "{}", .code = ERR_INTERNAL },
    { "stop of a VM with running: true", power_stop, "{'spec':{'running':true}}", RUNNING, "{}",
      .vm_patch = "[{'op':'test','path':'/spec/running','value':true},"
                  "{'op':'replace','path':'/spec/running','value':false}]" },
    { "stop once", power_stop, ONCE, RUNNING, "{}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Once'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Halted'}]" },
    { "stop of one that has ended leaves its grace period alone", power_stop, ALWAYS, ENDED,
      "{'gracePeriod':0}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Always'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Halted'}]" },
    { "stop halted that does not run", power_stop, HALTED, NULL, "{'gracePeriod':0}",
      .code = ERR_CONFLICT },
    { "stop of a receiver does nothing", power_stop, "{'spec':{'runStrategy':'WaitAsReceiver'}}",
      RUNNING, "{}", .code = ERR_NONE },
    { "start with nothing said of running", power_start, "{'spec':{}}", NULL, "{}",
      .vm_patch = "[{'op':'add','path':'/spec/running','value':true}]" },
    { "start while the instance has no phase yet", power_start, HALTED,
      "{'metadata':{'uid':'u'},'spec':{}}", "{}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Halted'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Always'}]" },
    { "start while nobody knows the instance's phase", power_start, HALTED,
      "{'metadata':{'uid':'u'},'status':{'phase':'Unknown'}}", "{}",
      .vm_patch = "[{'op':'test','path':'/spec/runStrategy','value':'Halted'},"
                  "{'op':'replace','path':'/spec/runStrategy','value':'Always'}]" },
    { "start rerun, paused", power_start, RERUN, NULL, "{'paused':true}",
      .vm_patch = "[{'op':'test','path':'" REQUESTS "','value':null},{'op':'add','path':'" REQUESTS
                  "','value':[{'action':'Start','data':{'paused':'true'}}]}]",
      .vm_sub = "status" },
    { "restart while volumes change", power_restart,
      "{'spec':{'runStrategy':'Always'},'status':{'conditions':[{'type':'VolumesChange','status':'True'}]}}",
      RUNNING, "{}", .code = ERR_CONFLICT },
};

static void plans(void **state)
{
    const struct row *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *options = json_q(c->options);
    json_auto_t *vm_patch = json_q(c->vm_patch);
    json_auto_t *vmi_patch = json_q(c->vmi_patch);
    struct power_plan p;
    struct error e = { 0 };

    int r = c->plan(vm, vmi, options, &p, &e);
    assert_int_equal(r, -(int)c->code);
    if (r < 0) {
        assert_true(e.msg[0] != '\0');
    } else {
        assert_json(p.vm_patch, vm_patch);
        assert_json(p.vmi_patch, vmi_patch);
        assert_true(streq(p.vm_sub, c->vm_sub));
        assert_true((p.vmi_patch == NULL) == (p.vmi_undo == NULL));
    }
    power_plan_done(&p);
}

/* What was patched is undone by a patch that tests for it. */
static void undo_restores_the_grace_period(void **state)
{
    static const struct {
        const char *vmi, *undo;
    } cases[] = {
        { "{'spec':{'terminationGracePeriodSeconds':30},'status':{'phase':'Running'}}",
          "[{'op':'test','path':'/spec/terminationGracePeriodSeconds','value':1},"
          "{'op':'replace','path':'/spec/terminationGracePeriodSeconds','value':30}]" },
        { RUNNING, "[{'op':'test','path':'/spec/terminationGracePeriodSeconds','value':1},"
                   "{'op':'remove','path':'/spec/terminationGracePeriodSeconds'}]" },
    };

    for (size_t i = 0; i < countof(cases); i++) {
        json_auto_t *vm = json_q(ALWAYS);
        json_auto_t *vmi = json_q(cases[i].vmi);
        json_auto_t *options = json_q("{'gracePeriodSeconds':0}");
        json_auto_t *undo = json_q(cases[i].undo);
        struct power_plan p;
        struct error e = { 0 };

        assert_int_equal(power_restart(vm, vmi, options, &p, &e), 0);
        assert_json(p.vmi_undo, undo);
        power_plan_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(undo_restores_the_grace_period) };

    return RUN_ROWS("power", rows, plans) +
           cmocka_run_group_tests_name("power, undone", others, NULL, NULL);
}
