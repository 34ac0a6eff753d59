/* SPDX-License-Identifier: Apache-2.0 */
/* preset preview: what presets make of an instance, without creating it. */
#include <stdio.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/preset_preview.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "kube/yaml.h"

const struct option preset_flags[] = {
    { "filename", 'f', OPTION_STRING, FLAG(file), .dflt = "", .arg = "FILE",
      .help = "An instance as YAML or JSON, instead of a stored one's name; - is stdin." },
    { "output", 'o', OPTION_STRING, FLAG(output), .dflt = "diff", .arg = "FORMAT",
      .help = "diff: preset by preset; yaml or json: the instance with all of them." },
    { 0 },
};

static int print_diff(const json_t *merged, const struct buf *diff)
{
    return diff->len > 0 && fwrite(diff->data, 1, diff->len, stdout) != diff->len ? -1 : 0;
}

static int print_yaml(const json_t *merged, const struct buf *diff)
{
    scoped(free) char *text = yaml_dump(merged);

    return fputs(text, stdout) < 0 ? -1 : 0;
}

static int print_json(const json_t *merged, const struct buf *diff)
{
    scoped(free) char *text = must_dumps(merged, JSON_INDENT(4) | JSON_SORT_KEYS);

    return puts(text) < 0 ? -1 : 0;
}

static const struct format {
    const char *name;
    int (*print)(const json_t *merged, const struct buf *diff);
} formats[] = {
    { "diff", print_diff },
    { "yaml", print_yaml },
    { "json", print_json },
};

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < countof(formats); i++)
        if (streq(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static bool is_instance(const json_t *obj)
{
    const char *version = jpath_str(obj, "apiVersion", "");

    return streq(jpath_str(obj, "kind", ""), KIND_VMI.kind) &&
           (streq(version, "kubevirt.io/v1") || streq(version, "kubevirt.io/v1alpha3"));
}

/* The one instance that a file holds, in the namespace of the command unless it names its own. */
static int read_instance(const struct cli *c, const char *file, json_t **ret, struct error *e)
{
    scoped(free) char *text = NULL;
    json_auto_t *documents = NULL;
    size_t len = 0;

    if (kube_read_file(streq(file, "-") ? "/dev/stdin" : file, JSON_BODY_MAX, &text, &len, e) < 0)
        return -(int)e->code;
    if (yaml_parse_all(&documents, text, len, e) < 0)
        return error_wrap(e, "%s", file);

    json_t *vmi = json_array_get(documents, 0);
    if (json_array_size(documents) != 1 || !is_instance(vmi))
        return error_set(e, ERR_BAD_REQUEST, "%s: one VirtualMachineInstance is expected", file);

    const char *namespace = meta_namespace(vmi);
    if (!*namespace)
        jpath_set_str(vmi, "metadata.namespace", c->namespace);
    else if (*c->flags.namespace && !streq(namespace, c->namespace))
        return error_set(e, ERR_BAD_REQUEST,
                         "%s: its namespace \"%s\" is not the given namespace \"%s\"", file,
                         namespace, c->namespace);
    *ret = json_incref(vmi);
    return 0;
}

static int stored_instance(const struct cli *c, const char *name, json_t **ret, struct error *e)
{
    if (kube_get(c->kube, &KIND_VMI, c->namespace, name, ret, e) < 0)
        return error_wrap(e, "Error getting VirtualMachineInstance %s", name);
    jpath_del(*ret, "metadata.managedFields");
    return 0;
}

static int preview(struct cli *c, const char *name, const struct format *format, struct error *e)
{
    scoped_buf diff = BUF_INIT(0);
    json_auto_t *vmi = NULL;
    json_auto_t *presets = NULL;
    json_auto_t *merged = NULL;
    int r = name ? stored_instance(c, name, &vmi, e) : read_instance(c, c->flags.file, &vmi, e);

    if (r < 0)
        return r;
    if (kube_list(c->kube, &KIND_PRESET, meta_namespace(vmi), NULL, &presets, e) < 0)
        return error_wrap(e, "Error listing VirtualMachineInstancePresets");

    scoped(free) char *key = meta_key(vmi);
    r = preset_preview(vmi, presets, &merged, &diff, e);
    if (r < 0 && format->print == print_diff)
        (void)print_diff(NULL, &diff);
    if (r < 0)
        return error_wrap(e, "VirtualMachineInstance %s", key);
    if (format->print(merged, &diff) < 0)
        return error_set(e, ERR_INTERNAL, "standard output cannot be written");
    return 0;
}

int run_preset_preview(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->len == 1 ? args->item[0] : NULL;
    const struct format *format = find_format(c->flags.output);

    if (!name == !*c->flags.file)
        return error_set(e, ERR_BAD_REQUEST,
                         "either the name of an instance or --filename is expected");
    if (!format)
        return error_set(e, ERR_BAD_REQUEST, "--output: \"%s\" is not diff, yaml or json",
                         c->flags.output);
    return preview(c, name, format, e);
}
