/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel knows of this process. */
#include "base/metrics_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/scope.h"

#define PROCESS_METRIC(var, kind, label, text) \
    static struct metric var = { .name = label, .type = kind, .help = text }

PROCESS_METRIC(cpu_seconds, METRIC_COUNTER, "process_cpu_seconds_total",
               "Total user and system CPU time spent in seconds.");
PROCESS_METRIC(open_fds, METRIC_GAUGE, "process_open_fds", "Number of open file descriptors.");
PROCESS_METRIC(max_fds, METRIC_GAUGE, "process_max_fds",
               "Maximum number of open file descriptors.");
PROCESS_METRIC(resident_bytes, METRIC_GAUGE, "process_resident_memory_bytes",
               "Resident memory size in bytes.");
PROCESS_METRIC(virtual_bytes, METRIC_GAUGE, "process_virtual_memory_bytes",
               "Virtual memory size in bytes.");
PROCESS_METRIC(start_seconds, METRIC_GAUGE, "process_start_time_seconds",
               "Start time of the process since unix epoch in seconds.");

/* The beginning of a small file as text; false when it cannot be read. */
static bool read_text(const char *path, char *out, size_t size)
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* When the machine came up, in seconds since the epoch; time asleep counts. */
static double boot_time(void)
{
    struct timespec wall;
    struct timespec up;

    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_BOOTTIME, &up);
    return (double)(wall.tv_sec - up.tv_sec) + (double)(wall.tv_nsec - up.tv_nsec) / 1e9;
}

static void collect_stat(void)
{
    char text[1024];
    unsigned long user_ticks;
    unsigned long system_ticks;
    unsigned long virtual_size;
    unsigned long long start_ticks;
    long pages;

    if (!read_text("/proc/self/stat", text, sizeof(text)))
        return;
    /* The name, field 2, may hold blanks and brackets: count from its end (proc(5)). */
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at + 1,
                      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu"
                      " %*d %*d %*d %*d %*d %*d %llu %lu %ld",
                      &user_ticks, &system_ticks, &start_ticks, &virtual_size, &pages) != 5)
        return;

    const double hertz = (double)sysconf(_SC_CLK_TCK);
    static _Atomic double started_at; /* once: the clocks' difference wanders */
    if (started_at == 0)
        started_at = boot_time() + (double)start_ticks / hertz;
    metric_set(&cpu_seconds, (double)(user_ticks + system_ticks) / hertz);
    metric_set(&resident_bytes, (double)pages * (double)sysconf(_SC_PAGESIZE));
    metric_set(&virtual_bytes, (double)virtual_size);
    metric_set(&start_seconds, started_at);
}

static void collect_descriptors(void)
{
    struct rlimit limit;
    double count = -1; /* this look itself */
    DIR *dir = opendir("/proc/self/fd");

    if (!dir)
        return;
    for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
        if (d->d_name[0] != '.')
            count++;
    (void)closedir(dir);
    metric_set(&open_fds, count);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(&max_fds, (double)limit.rlim_cur);
}

void metrics_collect_process(void)
{
    collect_stat();
    collect_descriptors();
}
