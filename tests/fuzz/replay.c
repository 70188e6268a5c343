/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target as an ordinary test: what is in its folder of tests/fuzz/corpus/
 * (seeds and past findings) goes through it once. The program's name,
 * replay-NAME, says which folder.
 */
#include "util/osdep.h"
#include <dirent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A target may have one, to set up what all inputs share. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static bool run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    long size;

    if (!f || fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0) {
        return false;
    }
    rewind(f);
    data = malloc(size + 1);
    size = fread(data, 1, size, f);
    fclose(f);
    printf("# %s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return true;
}

int main(int argc, char **argv)
{
    const char *src = getenv("SRC_DIR"), *name = strrchr(argv[0], '/');
    struct dirent *entry;
    char dir[2048], path[4096];
    DIR *d;
    int n = 0;

    name = (name ? name + 1 : argv[0]) + strlen("replay-");
    printf("1..1\n");
    if (LLVMFuzzerInitialize) {
        LLVMFuzzerInitialize(&argc, &argv);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", src ? src : "..", name);
    d = opendir(dir);
    while (d && (entry = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.') {
            n += run_file(path);
        }
    }
    if (d) {
        closedir(d);
    }
    printf("ok 1 %s: %d inputs\n", name, n);
    return 0;
}
