/* Counts the writing calls on files below a folder, and lets the one of a number fail or end the process.
 * NOMEN_FAULT is one:N (that call fails), from:N (it and all behind it fail) or kill:N; NOMEN_FAULT_UNDER is the folder.
 * Failing is what a full disk does: ENOSPC, and EIO where data should reach it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

/* Whether this call is to fail. */
static int struck(const char *path) {
    const char *under = getenv("NOMEN_FAULT_UNDER"), *fault = getenv("NOMEN_FAULT");
    if (!under || !fault || strncmp(path, under, strlen(under)) != 0) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1, at = atol(strchr(fault, ':') + 1);
    if (fault[0] == 'k' && number == at) kill(getpid(), SIGKILL);
    return (fault[0] == 'o' && number == at) || (fault[0] == 'f' && number >= at);
}

static int struck_file(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return struck(path);
}

#define FAIL(reason) do { errno = (reason); return -1; } while (0)
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int file, const void *bytes, size_t count) {
    if (struck_file(file)) FAIL(ENOSPC);
    return REAL("write", ssize_t (*)(int, const void *, size_t))(file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    if (struck_file(file)) FAIL(ENOSPC);
    return REAL("pwrite", ssize_t (*)(int, const void *, size_t, off_t))(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    if (struck_file(file)) FAIL(ENOSPC);
    return REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t))(file, bytes, count, offset);
}

int ftruncate(int file, off_t length) {
    if (struck_file(file)) FAIL(EIO);
    return REAL("ftruncate", int (*)(int, off_t))(file, length);
}

int ftruncate64(int file, off64_t length) {
    if (struck_file(file)) FAIL(EIO);
    return REAL("ftruncate64", int (*)(int, off64_t))(file, length);
}

int fsync(int file) {
    if (struck_file(file)) FAIL(EIO);
    return REAL("fsync", int (*)(int))(file);
}

int fdatasync(int file) {
    if (struck_file(file)) FAIL(EIO);
    return REAL("fdatasync", int (*)(int))(file);
}
