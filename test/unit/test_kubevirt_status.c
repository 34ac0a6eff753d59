/* SPDX-License-Identifier: Apache-2.0 */
/* What the KubeVirt object says of its configuration, and when an event says it too. */
#include "controller/kubevirt_status.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"

#define NOW "1970-01-01T00:16:40Z"
#define OLD "1970-01-01T00:00:01Z"
#define ADVICE "; change it: until then all programs keep to the last good configuration"

#define KUBEVIRT(status) "{'metadata':{'generation':7},'spec':{},'status':{" status "}}"
#define CONDITION(type, status, reason, more, since)                                              \
    "{'type':'" type "','status':'" status "','lastTransitionTime':'" since "','reason':'" reason \
    "'" more "}"
#define AVAILABLE(since)                       \
    CONDITION("Available", "True", "Deployed", \
              ",'message':'virt-controller leads and follows this object'", since)
#define PROGRESSING(since) CONDITION("Progressing", "False", "Deployed", "", since)
#define SOUND(since) CONDITION("Degraded", "False", "Deployed", "", since)
#define FAULTY(fault, since) \
    CONDITION("Degraded", "True", "InvalidConfiguration", ",'message':'" fault ADVICE "'", since)
#define STATUS(generation, degraded)                                                         \
    "'conditions':[" AVAILABLE(OLD) "," PROGRESSING(                                         \
        OLD) "," degraded "],'defaultArchitecture':'amd64','observedGeneration':" generation \
             ",'phase':'Deployed'"
#define OPERATED(conditions) \
    "'operatorVersion':'v1','phase':'Deploying','conditions':[" conditions "]"

// clang-format off
static const struct status_case {
    const char *name, *before;
    const char *fault; /* NULL: the configuration is good */
    const char *after; /* status */
    const char *news;  /* NULL: no event */
} cases[] = {
    { "a new object", "{'metadata':{'generation':1},'spec':{}}", NULL,
      "{'conditions':[" AVAILABLE(NOW) "," PROGRESSING(NOW) "," SOUND(NOW) "],'phase':'Deployed','defaultArchitecture':'amd64','observedGeneration':1}", NULL },
    { "nothing new, nothing written", KUBEVIRT(STATUS("7", SOUND(OLD))), NULL, "{" STATUS("7", SOUND(OLD)) "}", NULL },
    { "a new generation is in effect", KUBEVIRT(STATUS("6", SOUND(OLD))), NULL, "{" STATUS("7", SOUND(OLD)) "}", NULL },
    { "a fault, and its generation is not", KUBEVIRT(STATUS("6", SOUND(OLD))), "spec.x: bad", "{" STATUS("6", FAULTY("spec.x: bad", NOW)) "}", "spec.x: bad" ADVICE },
    { "the same fault is told once", KUBEVIRT(STATUS("6", FAULTY("spec.x: bad", OLD))), "spec.x: bad", "{" STATUS("6", FAULTY("spec.x: bad", OLD)) "}", NULL },
    { "another fault is told", KUBEVIRT(STATUS("6", FAULTY("spec.x: bad", OLD))), "spec.y: bad", "{" STATUS("6", FAULTY("spec.y: bad", OLD)) "}", "spec.y: bad" ADVICE },
    { "good again", KUBEVIRT(STATUS("6", FAULTY("spec.x: bad", OLD))), NULL, "{" STATUS("7", SOUND(NOW)) "}", NULL },
    { "what somebody else says stays", KUBEVIRT("'phase':'Deploying','defaultArchitecture':'arm64','conditions':[" CONDITION("Available", "False", "Other", "", OLD) "]"), NULL,
      "{'phase':'Deploying','defaultArchitecture':'arm64','observedGeneration':7,'conditions':[" CONDITION("Available", "False", "Other", "", OLD) "," PROGRESSING(NOW) "," SOUND(NOW) "]}", NULL },
    { "an operator keeps its status", KUBEVIRT(OPERATED(CONDITION("Degraded", "False", "AllComponentsReady", "", OLD))), NULL,
      "{" OPERATED(CONDITION("Degraded", "False", "AllComponentsReady", "", OLD)) "}", NULL },
    { "but for a fault", KUBEVIRT(OPERATED("")), "spec.x: bad", "{" OPERATED(FAULTY("spec.x: bad", NOW)) "}", "spec.x: bad" ADVICE },
    { "which is taken back", KUBEVIRT(OPERATED(FAULTY("spec.x: bad", OLD))), NULL, "{" OPERATED(SOUND(NOW)) "}", NULL },
    { "an object that goes is left alone", "{'metadata':{'deletionTimestamp':'x'},'status':{}}", "spec.x: bad", "{}", NULL },
};
// clang-format on

static void says(void **state)
{
    const struct status_case *c = *state;
    json_auto_t *before = json_q(c->before);
    json_auto_t *after = json_q(c->after);
    json_auto_t *got = kubevirt_status_next(before, c->fault, "amd64", 1000 * 1000);
    const char *news = kubevirt_news(before, got);

    assert_json(jpath(got, "status"), after);
    assert_string_equal(news ? news : "nothing", c->news ? c->news : "nothing");
}

/* ---- the store, the API server and the recorder, as far as they are asked ---- */

static json_t *stored;          /* taken out by the one look at it */
static struct buf heard;        /* "reason message" of each event */
static struct buf sent;         /* "sub patch" */
static enum error_code trouble; /* what the API server answers instead */

json_t *informer_get(struct informer *inf, const char *key)
{
    assert_string_equal(key, "kubevirt/kubevirt");
    return json_incref(stored);
}

int kube_patch(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
               const char *sub, enum kube_patch type, const json_t *patch, const char *query,
               json_t **ret, struct error *e)
{
    scoped(free) char *text = must_dumps(patch, JSON_SORT_KEYS | JSON_COMPACT);

    assert_ptr_equal(kind, &KIND_KUBEVIRT);
    (void)buf_addf(&sent, "%s %s", sub, text);
    return trouble ? error_set(e, trouble, "no answer") : 0;
}

int kube_delete(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                const json_t *options, struct error *e)
{
    fail(); /* nothing is deleted here */
    return 0;
}

void event_record(struct event_recorder *r, const struct kube_kind *kind, const json_t *obj,
                  enum event_type type, const char *reason, const char *fmt, ...)
{
    va_list ap;
    char text[EVENT_MESSAGE_MAX];

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    assert_int_equal(type, EVENT_WARNING);
    (void)buf_addf(&heard, "%s %s", reason, text);
}

#define GOOD "'cpuModel':'host-model'"
#define BAD "'memBalloonStatsPeriod':-1"
#define BAD_TEXT \
    "spec.configuration.memBalloonStatsPeriod: must be a number from 0 to 1000000" ADVICE
#define STORED(configuration, degraded)                                                            \
    "{'metadata':{'name':'kubevirt','namespace':'kubevirt','resourceVersion':'5','generation':6}," \
    "'spec':{'configuration':{" configuration "}},'status':{" STATUS("6", degraded) "}}"

// clang-format off
static const struct act_case {
    const char *name, *stored;
    enum error_code trouble;
    const char *sent;  /* words of the patch; "" for none */
    const char *heard; /* the event, "" for none */
    bool is_failed;
} acts[] = {
    { "no object", NULL, 0, "", "", false },
    { "good and told", STORED(GOOD, SOUND(OLD)), 0, "", "", false },
    { "bad and not told", STORED(BAD, SOUND(OLD)), 0, "InvalidConfiguration", "InvalidConfiguration " BAD_TEXT, false },
    { "no event before it is written", STORED(BAD, SOUND(OLD)), ERR_CONFLICT, "InvalidConfiguration", "", true },
};
// clang-format on

static void acts_on_it(void **state)
{
    const struct act_case *c = *state;
    const struct context ctx = { .clock = &clock_real };
    struct error e = { 0 };

    stored = json_q(c->stored);
    trouble = c->trouble;
    heard = BUF_INIT(0);
    sent = BUF_INIT(0);
    int r = kubevirt_status_reconcile(&ctx, NULL, "kubevirt/kubevirt", &e);
    assert_int_equal(r < 0, c->is_failed);
    assert_string_equal(heard.data ? heard.data : "", c->heard);
    if (*c->sent) {
        assert_true(str_has_prefix(sent.data, "status {"));
        assert_non_null(strstr(sent.data, c->sent));
        assert_non_null(strstr(sent.data, "\"resourceVersion\":\"5\""));
    } else {
        assert_int_equal(sent.len, 0);
    }
    buf_done(&heard);
    buf_done(&sent);
    json_decref(stored);
}

int main(void)
{
    return RUN_ROWS("status", cases, says) + RUN_ROWS("acts", acts, acts_on_it);
}
