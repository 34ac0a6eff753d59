// SPDX-License-Identifier: Apache-2.0
/* The pod as an environment of a domain; see environment.h. */
#include "launcher/environment.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"

enum { CODE, VARS, SECURE_CODE, SECURE_VARS, NAMES_MAX = 5 };

/* Names in the order of preference; Debian has only the 4 MiB builds in its later releases. */
static const char *const firmware_names[][NAMES_MAX] = {
    [CODE] = { "OVMF_CODE.fd", "OVMF_CODE_4M.fd", "AAVMF_CODE.fd", NULL },
    [VARS] = { "OVMF_VARS.fd", "OVMF_VARS_4M.fd", "AAVMF_VARS.fd", NULL },
    [SECURE_CODE] = { "OVMF_CODE.secboot.fd", "OVMF_CODE_4M.secboot.fd", NULL },
    [SECURE_VARS] = { "OVMF_VARS.secboot.fd", "OVMF_VARS.ms.fd", "OVMF_VARS_4M.ms.fd", NULL },
};

static const char *const firmware_dirs[] = { "/usr/share/OVMF", "/usr/share/edk2/ovmf",
                                             "/usr/share/AAVMF" };

static bool is_kvm_usable(void)
{
    scoped_fd int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    return fd >= 0 && ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION;
}

static char *find_in(const char *dir, const char *const names[])
{
    for (size_t i = 0; i < NAMES_MAX && names[i]; i++) {
        scoped(free) char *path = must_asprintf("%s/%s", dir, names[i]);
        if (access(path, R_OK) == 0)
            return TAKE(path);
    }
    return NULL;
}

static char *find_firmware(const char *ovmf_path, const char *const names[])
{
    char *path = ovmf_path ? find_in(ovmf_path, names) : NULL;

    for (size_t i = 0; i < countof(firmware_dirs) && !path; i++)
        path = find_in(firmware_dirs[i], names);
    return path;
}

static void read_cpus(struct environment *v)
{
    cpu_set_t set;

    v->cpus_len = 0;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return;
    for (int cpu = 0; cpu < CPU_SETSIZE && v->cpus_len < countof(v->cpus); cpu++)
        if (CPU_ISSET(cpu, &set))
            v->cpus[v->cpus_len++] = cpu;
}

void environment_read(struct environment *v, const char *ovmf_path)
{
    v->is_kvm_usable = is_kvm_usable();
    read_cpus(v);
    for (size_t i = 0; i < countof(v->firmware); i++)
        v->firmware[i] = find_firmware(ovmf_path, firmware_names[i]);
}

void environment_done(struct environment *v)
{
    for (size_t i = 0; i < countof(v->firmware); i++)
        free(v->firmware[i]);
}

struct domain_firmware environment_firmware(const struct environment *v)
{
    return (struct domain_firmware){
        .code = v->firmware[CODE],
        .vars = v->firmware[VARS],
        .secure_code = v->firmware[SECURE_CODE],
        .secure_vars = v->firmware[SECURE_VARS],
    };
}
