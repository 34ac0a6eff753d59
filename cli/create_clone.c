/* SPDX-License-Identifier: Apache-2.0 */
/* create clone. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/create_type.h"
#include "cli/document.h"

enum { SUFFIX = 5 };

#define TEXT_FLAG(flag, member, word, text)                                                      \
    {                                                                                            \
        flag, 0, OPTION_STRING, FLAG(create_clone.member), .dflt = "", .arg = word, .help = text \
    }
#define LIST_FLAG(flag, member, word, text)                                           \
    {                                                                                 \
        flag, 0, OPTION_STRINGS, FLAG(create_clone.member), .arg = word, .help = text \
    }

// clang-format off
const struct option create_clone_flags[] = {
    TEXT_FLAG("name", name, "NAME", "Name of the clone object; a random one when not given."),
    TEXT_FLAG("source-name", source_name, "NAME", "What is cloned."),
    TEXT_FLAG("source-type", source_type, "vm|snapshot", "What it is; vm when not given."),
    TEXT_FLAG("target-name", target_name, "NAME", "Name of the new machine; the server picks one when not given."),
    TEXT_FLAG("target-type", target_type, "vm", "What the clone becomes."),
    LIST_FLAG("label-filter", label_filters, "PATTERN", "Which labels are taken over: '*', '!some/key'."),
    LIST_FLAG("annotation-filter", annotation_filters, "PATTERN", "Which annotations are taken over."),
    LIST_FLAG("template-label-filter", template_label_filters, "PATTERN", "Which labels of the template are taken over."),
    LIST_FLAG("template-annotation-filter", template_annotation_filters, "PATTERN", "Which annotations of the template are taken over."),
    LIST_FLAG("new-mac-address", new_mac_addresses, "INTERFACE:ADDRESS", "A new MAC address, written with dashes."),
    TEXT_FLAG("new-smbios-serial", new_smbios_serial, "TEXT", "A new SMBIOS serial number."),
    { 0 },
};
// clang-format on

static int make_reference(const char *role, const char *type, const char *name, json_t **ret,
                          struct error *e)
{
    static const struct {
        const char *words[4];
        const char *group, *kind;
    } rows[] = {
        { { "", "vm", "VirtualMachine" }, "kubevirt.io", "VirtualMachine" },
        { { "snapshot", "vmsnapshot", "VirtualMachineSnapshot" },
          "snapshot.kubevirt.io",
          "VirtualMachineSnapshot" },
    };
    const bool is_source = streq(role, "source");

    for (size_t i = 0; i < countof(rows) - !is_source; i++)
        for (size_t j = 0; rows[i].words[j]; j++)
            if (strcasecmp(rows[i].words[j], type) == 0) {
                *ret = must_pack("{s:s, s:s, s:s}", "apiGroup", rows[i].group, "kind", rows[i].kind,
                                 "name", name);
                return 0;
            }
    return error_set(e, ERR_BAD_REQUEST, "%s type %s is not supported. Supported types: %s", role,
                     type, is_source ? "vm, vmsnapshot" : "vm");
}

static int add_addresses(json_t *spec, const struct option_list *values, struct error *e)
{
    for (size_t i = 0; i < values->len; i++) {
        const char *text = values->item[i];
        const char *colon = strchr(text, ':');

        if (!colon || strchr(colon + 1, ':') || colon == text || !colon[1])
            return error_set(e, ERR_BAD_REQUEST,
                             "newMacAddress parameter %s is invalid: exactly one ':' is expected. "
                             "For example: 'interface0:address0'",
                             text);
        scoped(free) char *interface = must_strndup(text, (size_t)(colon - text));
        must_set(jpath_make_obj(spec, "newMacAddresses"), interface, must_pack("s", colon + 1));
    }
    return 0;
}

static void add_list(json_t *spec, const char *path, const struct option_list *values)
{
    for (size_t i = 0; i < values->len; i++)
        must_append(jpath_make_arr(spec, path), must_pack("s", values->item[i]));
}

int create_clone(const struct create_clone_flags *f, const char *namespace, json_t **ret,
                 struct error *e)
{
    char name[6 + SUFFIX + 1] = "clone-";
    json_auto_t *source = NULL;
    json_auto_t *target = NULL;

    if (!*f->source_name)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"source-name\" not set");
    if (make_reference("source", f->source_type, f->source_name, &source, e) < 0 ||
        make_reference("target", f->target_type, f->target_name, &target, e) < 0)
        return -(int)e->code;
    random_suffix(name + strlen(name), SUFFIX);

    json_auto_t *clone = must_pack("{s:s, s:s, s:{s:s}, s:{s:O, s:O, s:{}}, s:{}}", "apiVersion",
                                   "clone.kubevirt.io/v1beta1", "kind", "VirtualMachineClone",
                                   "metadata", "name", *f->name ? f->name : name, "spec", "source",
                                   source, "target", target, "template", "status");
    json_t *spec = jpath_obj(clone, "spec");
    if (namespace)
        jpath_set_str(clone, "metadata.namespace", namespace);
    add_list(spec, "labelFilters", &f->label_filters);
    add_list(spec, "annotationFilters", &f->annotation_filters);
    add_list(spec, "template.labelFilters", &f->template_label_filters);
    add_list(spec, "template.annotationFilters", &f->template_annotation_filters);
    if (*f->new_smbios_serial)
        jpath_set_str(spec, "newSMBiosSerial", f->new_smbios_serial);
    if (add_addresses(spec, &f->new_mac_addresses, e) < 0)
        return -(int)e->code;
    *ret = TAKE(clone);
    return 0;
}

int run_create_clone(struct cli *c, const struct option_list *args, struct error *e)
{
    json_auto_t *clone = NULL;

    if (create_clone(&c->flags.create_clone, cli_namespace_flag(c), &clone, e) < 0)
        return -(int)e->code;
    return document_print(clone, "yaml", 0, e);
}
