// SPDX-License-Identifier: Apache-2.0
/*
 * The domain writer against test/golden/domain: each CASE.in.json (a VMI) must
 * give CASE.out.xml, and must say the same as CASE.upstream.xml but for the
 * differences that are chosen and listed here.  UPDATE=1 rewrites the .out.xml files.
 */
#include "launcher/domain.h"

#include <dirent.h>
#include <stdio.h>

#include "base/jpath.h"
#include "base/str.h"
#include "test/unit/rows.h"
#include "test/unit/xml_flat.h"

#define GOLDEN "test/golden/domain/"
enum { CASES_MAX = 200 };

// clang-format off
/*
 * Lines that differ from upstream's, and why.  "*" at the end stands for any
 * rest.  Only `upstream`: left out by us.  Only `ours`: added.  Both: written differently.
 */
static const struct difference {
    const char *feature, *upstream, *ours, *why;
} differences[] = {
    { "*", "/domain/metadata*", NULL, "the launcher keeps what it knows itself" },
    { "*", "/domain/sysinfo/bios", NULL, "empty" },
    { "*", "/domain/sysinfo/baseBoard", NULL, "empty" },
    { "*", "/domain/sysinfo/chassis", NULL, "empty" },
    { "chassis", NULL, "/domain/sysinfo/chassis", "shown when there is one" },
    { "chassis", "/domain/sysinfo/chassis/entry name=version", NULL, "empty" },
    { "chassis", "/domain/sysinfo/chassis/entry name=serial", NULL, "empty" },
    { "chassis", "/domain/sysinfo/chassis/entry name=asset", NULL, "empty" },
    { "*", "/domain/sysinfo/system/entry name=family", NULL, "empty" },
    { "*", "/domain/sysinfo/system/entry name=sku", NULL, "empty" },
    { "*", "/domain/sysinfo/system/entry name=version", NULL, "empty" },
    { "*", "/domain/devices/interface/source", NULL, "empty" },
    { "*", "/domain/devices/serial/log*", NULL, "without virtlogd nothing bounds it; logSerialConsole: true asks for it" },
    { "memoryMax", "/domain/maxMemory*", NULL, "comes with memory hotplug" },
    { "*", "/domain/devices/disk/source file=/var/run/libvirt/cloud-init-dir/*", NULL, "spec 05, 3.4" },
    { "*", NULL, "/domain/devices/disk/source file=/var/run/kubevirt-ephemeral-disks/cloud-init-data/*", "spec 05, 3.4" },
    { "*", NULL, "/domain/devices/disk/source file=/var/run/kubevirt-ephemeral-disks/disk-data/*", "spec 05, 3.4" },
    { "containerDisk", "/domain/devices/disk/source file=root/disk.qcow2", NULL, "recorded without the directory" },
    { "containerDiskBoot", "/domain/devices/disk/source file=boot/disk.qcow2", NULL, "recorded without the directory" },
    { "emulated", "/domain/devices/disk/source file=root/disk.qcow2", NULL, "recorded without the directory" },
    { "ephemeral", "/domain/devices/disk/source file=eph/disk.qcow2", NULL, "recorded without the directory" },
    { "pvcHotplug", "/domain/devices/disk/source file=/var/run/kubevirt-private/vmi-disks/hot/disk.img", NULL, "spec 05, 3.4" },
    { "pvcHotplug", NULL, "/domain/devices/disk/source file=/var/run/kubevirt/hotplug-disks/hot.img", "spec 05, 3.4" },
    { "lun", "/domain/devices/disk/source/reservations managed=no migration=yes", "/domain/devices/disk/source/reservations managed=no", "libvirt 9 does not know it" },
    { "filesystems", "/domain/devices/filesystem accessMode=passthrough type=mount", "/domain/devices/filesystem accessmode=passthrough type=mount", "as libvirt spells it" },
    { "filesystems", "/domain/devices/filesystem/source dir= socket=*", "/domain/devices/filesystem/source socket=*", "empty" },
    { "cdromEmpty", "/domain/devices/disk/driver discard=unmap *", "/domain/devices/disk/driver error_policy=*", "nothing to discard in an empty, read-only drive" },
    { "*", "/domain/os/kernel*", NULL, "where the image volume is mounted" },
    { "*", "/domain/os/initrd*", NULL, "where the image volume is mounted" },
    { "*", NULL, "/domain/os/kernel*", "where the image volume is mounted" },
    { "*", NULL, "/domain/os/initrd*", "where the image volume is mounted" },
};
// clang-format on

static bool matches(const char *pattern, const char *line)
{
    size_t len = pattern ? strlen(pattern) : 0;

    if (len == 0)
        return false;
    if (pattern[len - 1] == '*')
        return strncmp(pattern, line, len - 1) == 0;
    return streq(pattern, line);
}

static bool is_chosen(const char *feature, const char *line, bool is_ours)
{
    for (size_t i = 0; i < countof(differences); i++) {
        const struct difference *d = &differences[i];
        if ((streq(d->feature, "*") || streq(d->feature, feature)) &&
            matches(is_ours ? d->ours : d->upstream, line))
            return true;
    }
    return false;
}

static char *slurp(const char *feature, const char *ending)
{
    char path[300];
    (void)snprintf(path, sizeof(path), GOLDEN "%s%s", feature, ending);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    scoped_buf text = BUF_INIT(0);
    char piece[4096];
    for (size_t n = fread(piece, 1, sizeof(piece), f); n; n = fread(piece, 1, sizeof(piece), f))
        buf_add(&text, piece, n);
    (void)fclose(f);
    return buf_take(&text);
}

static void spill(const char *feature, const char *text)
{
    char path[300];
    (void)snprintf(path, sizeof(path), GOLDEN "%s.out.xml", feature);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* The pod that all cases are in: KVM, firmware, what was probed of each kind of volume. */
static char *write_domain(const char *feature)
{
    scoped(free) char *text = slurp(feature, ".in.json");
    json_auto_t *vmi = json_loads(text, 0, NULL);
    assert_non_null(vmi);
    const char *volume = jpath_str(vmi, "spec.volumes[0].name", "");
    bool is_container = jpath_has(vmi, "spec.volumes[0].containerDisk");
    bool has_backing = is_container || jpath_has(vmi, "spec.volumes[0].ephemeral");
    bool has_kernel = jpath_has(vmi, "spec.domain.firmware.kernelBoot");
    scoped(free) char *claim =
        must_asprintf("/var/run/kubevirt-private/vmi-disks/%s/disk.img", volume);
    struct domain_image image = {
        .volume = volume,
        .backing = !has_backing   ? NULL
                   : is_container ? "/var/run/kubevirt/container-disks/disk_0.img"
                                  : claim,
        .backing_format = is_container ? "qcow2" : "raw",
    };
    const struct domain_facts facts = {
        .is_kvm_usable = !streq(feature, "emulated"),
        .is_emulation_allowed = true,
        .layout = LAYOUT_DEFAULT,
        .firmware = { .code = "/usr/share/OVMF/OVMF_CODE.fd",
                      .vars = "/usr/share/OVMF/OVMF_VARS.fd",
                      .secure_code = "/usr/share/OVMF/OVMF_CODE.secboot.fd",
                      .secure_vars = "/usr/share/OVMF/OVMF_VARS.secboot.fd" },
        .images = &image,
        .images_len = *volume ? 1 : 0,
        .kernel = has_kernel ? "/var/run/kubevirt-kernel-boot/boot/vmlinuz" : NULL,
        .initrd = has_kernel ? "/var/run/kubevirt-kernel-boot/boot/initrd" : NULL,
    };
    struct error e = { 0 };
    char *xml = NULL;
    if (domain_xml(&xml, vmi, NULL, &facts, &e) < 0)
        fail_msg("%s", e.msg);
    return xml;
}

static void same_as_before(void **state)
{
    const char *feature = *state;
    scoped(free) char *got = write_domain(feature);

    if (getenv("UPDATE"))
        spill(feature, got);
    scoped(free) char *want = slurp(feature, ".out.xml");
    assert_non_null(want);
    assert_string_equal(got, want);
}

static void same_as_upstream(void **state)
{
    const char *feature = *state;
    scoped(free) char *upstream_xml = slurp(feature, ".upstream.xml");
    if (!upstream_xml)
        skip();
    scoped(free) char *our_xml = write_domain(feature);
    struct flat ours, theirs;
    size_t bad = 0;

    flat_read(&ours, our_xml);
    flat_read(&theirs, upstream_xml);
    for (size_t i = 0, j = 0; i < ours.len || j < theirs.len;) {
        int order = i == ours.len ? 1 : j == theirs.len ? -1 : strcmp(ours.line[i], theirs.line[j]);
        if (order < 0 && !is_chosen(feature, ours.line[i], true))
            print_error("only ours:     %s%.0zu\n", ours.line[i], bad++);
        if (order > 0 && !is_chosen(feature, theirs.line[j], false))
            print_error("only upstream: %s%.0zu\n", theirs.line[j], bad++);
        i += order <= 0;
        j += order >= 0;
    }
    flat_done(&ours);
    flat_done(&theirs);
    assert_int_equal(bad, 0);
}

int main(void)
{
    static struct CMUnitTest tests[2 * CASES_MAX];
    static char names[CASES_MAX][2][128];
    static char features[CASES_MAX][100];
    size_t n = 0;
    DIR *d = opendir(GOLDEN);

    if (!d)
        return 1;
    for (struct dirent *entry = readdir(d); entry && n < CASES_MAX; entry = readdir(d)) {
        if (!str_has_suffix(entry->d_name, ".in.json"))
            continue;
        (void)snprintf(features[n], sizeof(features[n]), "%.*s",
                       (int)(strlen(entry->d_name) - strlen(".in.json")), entry->d_name);
        (void)snprintf(names[n][0], sizeof(names[n][0]), "%s: as before", features[n]);
        (void)snprintf(names[n][1], sizeof(names[n][1]), "%s: as upstream", features[n]);
        tests[2 * n] = (struct CMUnitTest){ names[n][0], same_as_before, NULL, NULL, features[n] };
        tests[2 * n + 1] =
            (struct CMUnitTest){ names[n][1], same_as_upstream, NULL, NULL, features[n] };
        n++;
    }
    (void)closedir(d);
    return n == 0 ? 1 : _cmocka_run_group_tests("domain", tests, 2 * n, NULL, NULL);
}
